#include "common/net/alert.h"

#include <openssl/ssl.h>

const char *alert_text(int alert) {
    switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
        return "certificate is not acceptable";
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
        return "certificate may not be used for this";
    case SSL_AD_CERTIFICATE_REVOKED:
        return "certificate revoked";
    case SSL_AD_CERTIFICATE_EXPIRED:
        return "certificate expired";
    case SSL_AD_CERTIFICATE_UNKNOWN:
        return "certificate could not be verified";
    case SSL_AD_UNKNOWN_CA:
        return "unknown CA (the certificate is from a CA that is not trusted there)";
    case SSL_AD_ACCESS_DENIED:
        return "access denied";
    case SSL_AD_DECODE_ERROR:
        return "message could not be decoded";
    case SSL_AD_DECRYPT_ERROR:
        return "signature or decryption failed";
    case SSL_AD_PROTOCOL_VERSION:
        return "TLS version not supported (only 1.3 is)";
    case SSL_AD_HANDSHAKE_FAILURE:
        return "no common parameters";
    case SSL_AD_INTERNAL_ERROR:
        return "internal error";
    case SSL_AD_UNRECOGNIZED_NAME:
        return "host name unknown";
    case SSL_AD_CERTIFICATE_REQUIRED:
        return "certificate required";
    default:
        return SSL_alert_desc_string_long(alert);
    }
}

enum err alert_err(int alert) {
    switch (alert) {
    case SSL_AD_CERTIFICATE_EXPIRED:
        return ERR_EXPIRED;
    case SSL_AD_PROTOCOL_VERSION:
        return ERR_VERSION;
    default:
        return ERR_UNTRUSTED;
    }
}
