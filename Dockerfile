# `arize-keys` alone: no shell, no libraries, no user database. The roots of TLS are compiled in. See docs/static.md.
#
#     docker build --file Dockerfile --tag arize-keys target/x86_64-unknown-linux-musl/static
FROM scratch
COPY arize-keys /arize-keys
# An unprivileged user: a mounted file must be writable for this number.
USER 65532:65532
ENTRYPOINT ["/arize-keys"]
