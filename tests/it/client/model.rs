//! Odd responses: the key that the client makes of them, and the warnings.

use arize_api_keys::time::OffsetDateTime;
use arize_api_keys::{
    AccountRole, ApiKey, ApiKeyStatus, ApiKeyType, CreateRequest, Error, ListRequest, OrgRole, RoleAssignment,
    SpaceRole,
};
use proptest::prelude::*;

use crate::support::moment;
use crate::support::script::{NEW_KEY, Rig, json};

fn list(items: &str) -> Vec<ApiKey> {
    let rig = Rig::new([json(200, format!(r#"{{"api_keys":[{items}],"pagination":{{"has_more":false}}}}"#))]);
    rig.client.list(&ListRequest::new()).unwrap().api_keys
}

#[track_caller]
fn one(item: &str) -> ApiKey {
    let mut keys = list(item);
    assert_eq!(keys.len(), 1);
    keys.remove(0)
}

fn warnings(key: &ApiKey) -> Vec<String> {
    key.warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn a_whole_key() {
    let key = one(
        r#"{"id":"i","name":"n","description":"d","key_type":"SERVICE","status":"ACTIVE","redacted_key":"ak-abc...xyz",
            "created_at":"2026-01-02T03:04:05Z","expires_at":"2027-01-02T03:04:05+01:00","created_by_user_id":"u",
            "last_used_at":"2026-02-03T04:05:06.789Z","extra":{"a":[1]}}"#,
    );
    let texts = [&key.id, &key.name, key.description.as_ref().unwrap(), &key.redacted_key, &key.created_by_user_id];
    assert_eq!(texts, ["i", "n", "d", "ak-abc...xyz", "u"]);
    assert_eq!((key.key_type, key.status), (ApiKeyType::Service, ApiKeyStatus::Active));
    assert_eq!(key.created_at, Some(moment("2026-01-02T03:04:05Z")));
    assert_eq!(key.expires_at, Some(moment("2027-01-02T03:04:05+01:00")));
    assert_eq!(key.last_used_at, Some(moment("2026-02-03T04:05:06.789Z")));
    assert!(key.bot_user.is_none() && key.warnings.is_empty());
}

#[test]
fn words_in_every_spelling() {
    for (text, word) in [("user", ApiKeyType::User), ("USER", ApiKeyType::User), ("Service", ApiKeyType::Service)] {
        assert_eq!(ApiKeyType::from(text), word);
    }
    for text in ["revoked", "REVOKED", "deleted", "DELETED", "Deleted"] {
        assert_eq!(ApiKeyStatus::from(text), ApiKeyStatus::Revoked);
        assert_eq!(one(&format!(r#"{{"status":"{text}"}}"#)).status, ApiKeyStatus::Revoked);
    }
    for text in ["read-only", "READ_ONLY", "read_only", "READ-ONLY", "Read_Only"] {
        assert_eq!((SpaceRole::from(text), OrgRole::from(text)), (SpaceRole::ReadOnly, OrgRole::ReadOnly));
    }
    for text in ["MEMBER_UI_ONLY", "member-ui-only", "member_ui-only"] {
        assert_eq!(AccountRole::from(text), AccountRole::MemberUiOnly);
    }
    for text in ["", " user", "user ", "users", "read only", "readonly", "USER\0"] {
        assert_eq!(ApiKeyType::from(text), ApiKeyType::Unknown(text.to_owned()));
        assert_eq!(SpaceRole::from(text), SpaceRole::Unknown(text.to_owned()));
    }
}

#[test]
fn words_are_shown_in_lower_case() {
    let shown = [
        ApiKeyType::User.to_string(),
        ApiKeyType::Service.to_string(),
        ApiKeyStatus::Active.to_string(),
        ApiKeyStatus::Revoked.to_string(),
        SpaceRole::ReadOnly.to_string(),
        OrgRole::Annotator.to_string(),
        AccountRole::MemberUiOnly.to_string(),
        ApiKeyType::from("ROBOT_2").to_string(),
        ApiKeyType::default().to_string(),
        format!("[{:>8}]", ApiKeyStatus::Active),
        format!("[{:<8}]", ApiKeyStatus::from("GONE")),
    ];
    let expected = [
        "user",
        "service",
        "active",
        "revoked",
        "read-only",
        "annotator",
        "member-ui-only",
        "robot_2",
        "unknown",
        "[  active]",
        "[gone    ]",
    ];
    assert_eq!(shown, expected);
    assert_eq!(ApiKeyType::from("ROBOT_2").as_str(), "ROBOT_2");
}

#[test]
fn unknown_words_are_kept_and_are_nothing_odd() {
    let key = one(r#"{"key_type":"ROBOT","status":"Paused"}"#);
    assert_eq!(key.key_type, ApiKeyType::Unknown("ROBOT".to_owned()));
    assert_eq!(key.status, ApiKeyStatus::Unknown("Paused".to_owned()));
    assert!(key.warnings.is_empty());
}

#[test]
fn dates_in_every_spelling() {
    for (text, meant) in [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05Z"),
        ("2026-01-02t03:04:05z", "2026-01-02T03:04:05Z"),
        ("2026-01-02t03:04:05", "2026-01-02T03:04:05Z"),
        ("2026-01-02 03:04:05Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02 03:04:05", "2026-01-02T03:04:05Z"),
        ("2026-01-02 03:04:05.678+00:00", "2026-01-02T03:04:05.678Z"),
        (" 2026-01-02T03:04:05Z\\n", "2026-01-02T03:04:05Z"),
        ("2026-01-02", "2026-01-02T00:00:00Z"),
        ("2026-01-02T03:04:05.123456789+05:30", "2026-01-02T03:04:05.123456789+05:30"),
        ("2026-01-02T03:04:05.1-23:59", "2026-01-02T03:04:05.1-23:59"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"),
        ("2028-02-29T00:00:00Z", "2028-02-29T00:00:00Z"),
    ] {
        let key = one(&format!(r#"{{"created_at":"{text}","expires_at":"{text}","last_used_at":"{text}"}}"#));
        let meant = Some(moment(meant));
        assert_eq!((key.created_at, key.expires_at, key.last_used_at), (meant, meant, meant), "{text}");
        assert!(key.warnings.is_empty());
    }
}

#[test]
fn unix_time_is_a_date_where_its_digits_say_the_unit() {
    for (value, meant) in [
        ("1767323045", "2026-01-02T03:04:05Z"),
        ("1767323045000", "2026-01-02T03:04:05Z"),
        ("1767323045.5", "2026-01-02T03:04:05.5Z"),
        (r#""1767323045""#, "2026-01-02T03:04:05Z"),
        (r#""1767323045678""#, "2026-01-02T03:04:05.678Z"),
    ] {
        let key = one(&format!(r#"{{"created_at":{value},"expires_at":{value},"last_used_at":{value}}}"#));
        let meant = Some(moment(meant));
        assert_eq!((key.created_at, key.expires_at, key.last_used_at), (meant, meant, meant), "{value}");
        assert!(key.warnings.is_empty());
    }
}

#[test]
fn what_is_no_date_is_noted() {
    for (value, found) in [
        (r#""""#, ""),
        (r#"" ""#, " "),
        (r#""soon""#, "soon"),
        (r#""never\n""#, "never\\n"),
        (r#""2026-13-01T00:00:00Z""#, "2026-13-01T00:00:00Z"),
        (r#""2026-02-30""#, "2026-02-30"),
        (r#""2026-01-02T03:04""#, "2026-01-02T03:04"),
        (r#""2026-01-02T25:00:00Z""#, "2026-01-02T25:00:00Z"),
        (r#""176732304""#, "176732304"),
        (r#""T""#, "T"),
        (r#""é""#, "é"),
        ("176732304", "176732304"),
        ("1.5", "1.5"),
        ("-7", "-7"),
        ("false", "false"),
        ("[]", "an array"),
        (r#"["2026-01-02"]"#, "an array"),
        ("{}", "an object"),
        (r#"{"a":{"b":[]}}"#, "an object"),
    ] {
        let key = one(&format!(r#"{{"id":"i","expires_at":{value},"name":"n"}}"#));
        assert_eq!((key.expires_at, key.id.as_str(), key.name.as_str()), (None, "i", "n"), "{value}");
        assert_eq!(warnings(&key), [format!("`expires_at`: `{found}`")], "{value}");
        assert_eq!(key.warnings[0].field, "expires_at");
    }
}

#[test]
fn an_oddity_is_cut_and_shows_no_key() {
    let key = one(&format!(r#"{{"created_at":"{}","expires_at":"{NEW_KEY}"}}"#, "x".repeat(2000)));
    assert_eq!(key.warnings[0].found, "x".repeat(1024) + "…");
    assert_eq!(key.warnings[1].found, "[redacted]");
}

#[test]
fn null_is_absent_and_nothing_odd() {
    let key = one(
        r#"{"id":null,"name":null,"description":null,"key_type":null,"status":null,"redacted_key":null,"created_at":null,
            "expires_at":null,"created_by_user_id":null,"last_used_at":null,"bot_user":null}"#,
    );
    assert_eq!(key, ApiKey::default());
    assert_eq!(one("{}"), ApiKey::default());
}

#[test]
fn numbers_as_ids() {
    let key = one(r#"{"id":12345678901234567890,"name":-7,"created_by_user_id":0}"#);
    assert_eq!(
        (key.id.as_str(), key.name.as_str(), key.created_by_user_id.as_str()),
        ("12345678901234567890", "-7", "0")
    );
    assert!(key.warnings.is_empty());
    // Other numbers would come out with other digits.
    let key = one(r#"{"id":123456789012345678901234567890,"name":1.50}"#);
    assert_eq!((key.id.as_str(), key.name.as_str()), ("", ""));
    let found: Vec<_> = key.warnings.iter().map(|warning| warning.field).collect();
    assert_eq!(found, ["id", "name"]);
}

#[test]
fn other_kinds_are_noted() {
    let key =
        one(r#"{"id":[],"name":{},"description":true,"key_type":["SERVICE"],"status":{"a":1},"redacted_key":false}"#);
    assert_eq!(
        warnings(&key),
        [
            "`id`: `an array`",
            "`name`: `an object`",
            "`description`: `true`",
            "`key_type`: `an array`",
            "`status`: `an object`",
            "`redacted_key`: `false`",
        ]
    );
    assert_eq!(key.key_type, ApiKeyType::default());
}

#[test]
fn one_bad_item_does_not_cost_the_page() {
    let keys = list(r#"{"id":"a"},null,7,"text",[{"id":"no"}],true,{"id":{"id":"no"}},{"id":"b","created_at":"soon"}"#);
    let ids: Vec<_> = keys.iter().map(|key| key.id.as_str()).collect();
    assert_eq!(ids, ["a", "", "", "", "", "", "", "b"]);
    let noted = |n: usize| keys[n].warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    assert_eq!(noted(0), "");
    assert_eq!(noted(1), "`api_keys`: `null`");
    assert_eq!(noted(2), "`api_keys`: `a number`");
    assert_eq!(noted(4), "`api_keys`: `an array`");
}

#[test]
fn a_page_with_odd_pagination() {
    for (pagination, has_more, next_cursor) in [
        (r#"{"has_more":true,"next_cursor":"c"}"#, true, Some("c")),
        (r#"{"has_more":"true","next_cursor":7}"#, true, Some("7")),
        (r#"{"has_more":false,"next_cursor":"c"}"#, false, Some("c")),
        (r#"{"next_cursor":"c"}"#, true, Some("c")),
        (r#"{"has_more":1}"#, false, None),
        (r#"{"has_more":true,"next_cursor":""}"#, true, None),
        ("null", false, None),
    ] {
        let rig = Rig::new([json(200, format!(r#"{{"pagination":{pagination},"api_keys":[]}}"#))]);
        let page = rig.client.list(&ListRequest::new()).unwrap().pagination;
        assert_eq!((page.has_more, page.next_cursor.as_deref()), (has_more, next_cursor), "{pagination}");
    }
    // Whether more comes is not known: the page must not pass for the last one.
    for pagination in ["[]", "7", r#""more""#, "true"] {
        let rig = Rig::new([json(200, format!(r#"{{"api_keys":[],"pagination":{pagination}}}"#))]);
        let error = rig.client.list(&ListRequest::new()).unwrap_err();
        assert!(matches!(error, Error::Decode(_)), "{error:?}");
    }
    let rig = Rig::new([json(200, r#"{"api_keys":[]}"#), json(200, r#"{"pagination":{"has_more":false}}"#)]);
    assert!(!rig.client.list(&ListRequest::new()).unwrap().pagination.has_more);
    assert!(rig.client.list(&ListRequest::new()).unwrap().api_keys.is_empty());
}

#[test]
fn a_whole_bot_user() {
    let bot = one(r#"{"bot_user":{"id":"b","name":"bot","account_role":{"type":"PREDEFINED","name":"MEMBER_UI_ONLY"},
            "organizations":[{"org_id":"o","role":{"type":"predefined","name":"read-only"},
              "spaces":[{"space_id":"s","role":{"type":"CUSTOM","id":"r","name":"Reviewer"}},
                        {"space_id":"t","role":{"type":"CUSTOM"}},
                        {"space_id":"u","role":{"type":"GROUP","id":"g"}},
                        {"space_id":"v","role":{"type":"PREDEFINED"}},
                        {"space_id":"w","role":null},{"space_id":"x"},{"space_id":"y","role":"ADMIN"}]}]}}"#)
    .bot_user
    .unwrap();
    assert_eq!((bot.id.as_str(), bot.name.as_str()), ("b", "bot"));
    assert_eq!(bot.account_role, Some(AccountRole::MemberUiOnly.into()));
    let organization = &bot.organizations[0];
    assert_eq!((organization.org_id.as_str(), &organization.role), ("o", &Some(OrgRole::ReadOnly.into())));
    let spaces: Vec<_> = organization.spaces.iter().map(|space| space.space_id.as_str()).collect();
    assert_eq!(spaces, ["s", "t", "u", "v", "w", "x", "y"]);
    let roles: Vec<_> = organization.spaces.iter().map(|space| space.role.clone()).collect();
    let Some(RoleAssignment::Custom { id, name, .. }) = &roles[0] else { panic!("{roles:?}") };
    assert_eq!((id.as_str(), name.as_deref()), ("r", Some("Reviewer")));
    assert_eq!(roles[1], Some(RoleAssignment::custom("")));
    assert_eq!(roles[2], Some(RoleAssignment::Unknown("GROUP".to_owned())));
    assert_eq!(roles[3], Some(RoleAssignment::Unknown("PREDEFINED".to_owned())));
    assert_eq!(roles[4..], [None, None, None]);
}

#[test]
fn odd_bot_users() {
    for (value, is_there) in [
        ("null", false),
        (r#""bot""#, false),
        ("[]", false),
        ("7", false),
        ("{}", true),
        (r#"{"organizations":null}"#, true),
    ] {
        let key = one(&format!(r#"{{"id":"i","bot_user":{value},"name":"n"}}"#));
        assert_eq!((key.id.as_str(), key.name.as_str(), key.bot_user.is_some()), ("i", "n", is_there), "{value}");
    }
    for organizations in ["null", "[]", "{}", r#""o""#, "7"] {
        let bot = one(&format!(r#"{{"bot_user":{{"organizations":{organizations},"id":"b"}}}}"#)).bot_user.unwrap();
        assert_eq!((bot.id.as_str(), bot.organizations.len()), ("b", 0), "{organizations}");
    }
    let bot = one(
        r#"{"bot_user":{"name":7,"organizations":[null,{"org_id":"o","spaces":{}},{"spaces":[null,7]}],"id":"b"}}"#,
    );
    let bot = bot.bot_user.unwrap();
    let spaces: Vec<_> = bot.organizations.iter().map(|organization| organization.spaces.len()).collect();
    assert_eq!((bot.id.as_str(), bot.name.as_str(), spaces), ("b", "7", vec![0, 0, 2]));
}

#[test]
fn a_created_key_is_read_like_a_listed_one() {
    let item = format!(
        r#"{{"id":"i","name":"n","description":"d","key_type":"user","status":"deleted","redacted_key":"ak-abc...xyz",
            "created_at":"2026-01-02","expires_at":"soon","created_by_user_id":"u","last_used_at":null,
            "bot_user":{{"id":"b"}},"key":"{NEW_KEY}"}}"#
    );
    let listed = one(&item);
    let created = Rig::new([json(201, item)]).client.create(&CreateRequest::new("n")).unwrap();
    assert_eq!(created.warnings.len(), 1);
    assert_eq!(created.details, listed);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_date_that_can_be_written_is_read(seconds in -62_135_596_800_i64..253_402_300_800, nanos in 0_u32..1_000_000_000) {
        let date = OffsetDateTime::from_unix_timestamp(seconds).unwrap().replace_nanosecond(nanos).unwrap();
        let text = date.format(&arize_api_keys::time::format_description::well_known::Rfc3339).unwrap();
        for text in [text.clone(), text.to_lowercase(), text.replace('T', " "), text.replace('Z', "")] {
            prop_assert_eq!(one(&format!(r#"{{"created_at":"{text}"}}"#)).created_at, Some(date));
        }
    }

    #[test]
    fn any_text_is_a_date_or_noted(text in any::<String>()) {
        let text = serde_json::Value::from(text);
        let key = one(&format!(r#"{{"id":"i","created_at":{text}}}"#));
        prop_assert_eq!(key.warnings.len(), usize::from(key.created_at.is_none()));
        prop_assert_eq!(key.id, "i");
    }

    #[test]
    fn words_are_read_back(word in any::<String>()) {
        let unknown = ApiKeyType::from(word.as_str());
        prop_assert_eq!(ApiKeyType::from(unknown.as_str()), unknown);
    }
}

/// A member that comes twice has the value that came last, a list like any other.
#[test]
fn a_member_that_comes_twice() {
    let key = one(r#"{"name":"a","name":"b","description":"c","description":null,
            "bot_user":{"organizations":[{"org_id":"o1"},{"org_id":"o2"}],"organizations":[
                {"org_id":"o3","spaces":[{"space_id":"s1"}],"spaces":[{"space_id":"s2"}]}]}}"#);
    assert_eq!((&*key.name, key.description), ("b", None));
    let [organization] = &key.bot_user.unwrap().organizations[..] else { panic!() };
    let spaces: Vec<_> = organization.spaces.iter().map(|space| &*space.space_id).collect();
    assert_eq!((&*organization.org_id, &spaces[..]), ("o3", &["s2"][..]));
}

/// Whole, with the names of the API, in the order of the fields.
#[test]
fn responses_as_json() {
    let body = r#"{"api_keys":[{"id":"i","name":"n","description":"d","key_type":"SERVICE","status":"ACTIVE",
        "redacted_key":"ak-abc...xyz","created_at":"2026-01-02T03:04:05Z","expires_at":"2027-01-02T03:04:05.5+01:00",
        "created_by_user_id":"u","last_used_at":"soon","bot_user":{"id":"b","name":"bot",
            "account_role":{"type":"PREDEFINED","name":"MEMBER"},"organizations":[{"org_id":"o","role":{"type":"x"},
                "spaces":[{"space_id":"s","role":{"type":"CUSTOM","id":"r","name":"reviewer"}},{"space_id":"t"}]}]}},{}],
        "pagination":{"has_more":true,"next_cursor":"c"}}"#;
    let answer = json(200, body).header("date", "Fri, 02 Jan 2026 03:04:06 GMT");
    let list = Rig::new([answer]).client.list(&ListRequest::new()).unwrap();
    let expected = concat!(
        r#"{"api_keys":[{"id":"i","name":"n","description":"d","key_type":"service","status":"active","#,
        r#""redacted_key":"ak-abc...xyz","created_at":"2026-01-02T03:04:05Z","expires_at":"2027-01-02T03:04:05.5+01:00","#,
        r#""created_by_user_id":"u","last_used_at":null,"bot_user":{"id":"b","name":"bot","#,
        r#""account_role":{"type":"predefined","name":"member"},"organizations":[{"org_id":"o","role":{"type":"x"},"#,
        r#""spaces":[{"space_id":"s","role":{"type":"custom","id":"r","name":"reviewer"}},{"space_id":"t","role":null}]}]},"#,
        r#""warnings":[{"field":"last_used_at","found":"soon"}]},"#,
        r#"{"id":"","name":"","description":null,"key_type":"","status":"","redacted_key":"","created_at":null,"#,
        r#""expires_at":null,"created_by_user_id":"","last_used_at":null,"bot_user":null,"warnings":[]}],"#,
        r#""pagination":{"has_more":true,"next_cursor":"c"},"server_time":"2026-01-02T03:04:06Z"}"#,
    );
    assert_eq!(serde_json::to_string(&list).unwrap(), expected);
}
