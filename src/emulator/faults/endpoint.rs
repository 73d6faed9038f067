//! The parts of the service that a fault can be for.

/// A part of the service, for faults that hit no other part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// `GET /v2/api-keys`
    ListKeys,
    /// `POST /v2/api-keys`
    CreateKey,
    /// `POST /v2/api-keys/{id}/refresh`
    RefreshKey,
    /// `PUT /v2/api-keys/{id}/revoke` and `DELETE /v2/api-keys/{id}`
    RemoveKey,
    /// `GET /v2/spaces`
    ListSpaces,
    /// `GET /v2/spaces/{id}`
    GetSpace,
    /// `GET /v2/organizations`
    ListOrganizations,
}
