/** Long enough for what nobody wants to touch again, and the longest that clients of Apple's systems accept. */
export const LEAF_DAYS = 825;
export const AUTHORITY_DAYS = 3650;
/** Renewing begins here, and the broker begins to warn. */
export const RENEW_BEFORE_DAYS = 30;

/** openssl's own bookkeeping, relative to the directory of the authority. */
export const settings = `# Written by \`fieldpost pki\`.
[ca]
default_ca = authority
[authority]
database = index.txt
new_certs_dir = issued
certificate = ca.pem
private_key = ca.key
rand_serial = yes
default_md = sha256
default_days = ${LEAF_DAYS}
default_crl_days = ${AUTHORITY_DAYS}
unique_subject = no
copy_extensions = copy
policy = any_name
[any_name]
commonName = supplied
[authority_extensions]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[req]
distinguished_name = name
[name]
`;
