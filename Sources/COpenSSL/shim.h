// libcrypto as HSMEngine and CardSimulator see it. Low-level DES is marked deprecated in 3.0 but is part of the library
// itself (no legacy provider): the calculation service keeps ready key schedules, which the EVP interface cannot.
#pragma once
#define OPENSSL_SUPPRESS_DEPRECATED 1
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/des.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/bn.h>
