/* softhsm-chain SECONDS: what a program does with a PKCS#11 library where ours takes one command (the row softhsm-chain of
 * docs/performance.md): derive a card's key from a master, MAC a record with it, destroy it, one after the other in one
 * session on one thread. Prints "chains/s N". SoftHSM2's library and configuration are named by SOFTHSM2_LIBRARY and
 * SOFTHSM2_CONF; scripts/bench makes a token for it and throws it away.
 *
 *   derive  CKM_DES3_ECB_ENCRYPT_DATA of factor | ~factor under a double-length DES master, as PBOC diversifies
 *   MAC     CKM_DES3_CMAC over the 22 bytes of a purchase record (SoftHSM2 has no retail MAC; this is its nearest)
 *   destroy C_DestroyObject of the derived session object
 *
 * cc -O2 $(pkg-config --cflags p11-kit-1) -o softhsm-chain scripts/softhsm-chain.c -ldl
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef CKM_DES3_ECB_ENCRYPT_DATA
#define CKM_DES3_ECB_ENCRYPT_DATA 0x1102UL
#endif
#ifndef CKM_DES3_CMAC
#define CKM_DES3_CMAC 0x138UL
#endif
/* CK_KEY_DERIVATION_STRING_DATA, PKCS#11 v2.40 section 2.1 of the mechanisms. */
struct string_data { unsigned char *data; unsigned long length; };

static CK_FUNCTION_LIST_PTR p11;

static void must(CK_RV rv, const char *what) {
    if (rv != CKR_OK) {
        fprintf(stderr, "softhsm-chain: %s failed with 0x%lx\n", what, (unsigned long)rv);
        exit(1);
    }
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static CK_SESSION_HANDLE open_token(void) {
    CK_UTF8CHAR label[32], pin[] = "123456";
    memset(label, ' ', sizeof label);
    memcpy(label, "bench", 5);
    CK_SLOT_ID slots[8];
    CK_ULONG count = 8;
    CK_SESSION_HANDLE session;
    must(p11->C_GetSlotList(CK_FALSE, slots, &count), "C_GetSlotList");
    must(count ? CKR_OK : CKR_TOKEN_NOT_PRESENT, "finding a slot");
    must(p11->C_InitToken(slots[0], pin, sizeof pin - 1, label), "C_InitToken");
    count = 8;
    must(p11->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
    must(p11->C_OpenSession(slots[0], CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session), "C_OpenSession");
    must(p11->C_Login(session, CKU_SO, pin, sizeof pin - 1), "C_Login");
    must(p11->C_InitPIN(session, pin, sizeof pin - 1), "C_InitPIN");
    must(p11->C_Logout(session), "C_Logout");
    must(p11->C_Login(session, CKU_USER, pin, sizeof pin - 1), "C_Login");
    return session;
}

static CK_OBJECT_HANDLE make_master(CK_SESSION_HANDLE session) {
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_ATTRIBUTE attributes[] = {
        {CKA_TOKEN, &no, sizeof no}, {CKA_DERIVE, &yes, sizeof yes}, {CKA_ENCRYPT, &yes, sizeof yes},
    };
    CK_MECHANISM mechanism = {CKM_DES2_KEY_GEN, NULL, 0};
    CK_OBJECT_HANDLE key;
    must(p11->C_GenerateKey(session, &mechanism, attributes, 3, &key), "C_GenerateKey");
    return key;
}

static void chain(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE master, unsigned long number) {
    unsigned char factor[16], record[22], mac[8];
    for (int i = 0; i < 8; i++) {
        factor[i] = (unsigned char)(number >> (8 * (7 - i)));
        factor[8 + i] = (unsigned char)~factor[i];
    }
    for (size_t i = 0; i < sizeof record; i++) record[i] = (unsigned char)(number + i);
    struct string_data data = {factor, sizeof factor};
    CK_MECHANISM derive = {CKM_DES3_ECB_ENCRYPT_DATA, &data, sizeof data};
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_DES2;
    CK_ATTRIBUTE attributes[] = {
        {CKA_CLASS, &class, sizeof class}, {CKA_KEY_TYPE, &type, sizeof type},
        {CKA_TOKEN, &no, sizeof no}, {CKA_SIGN, &yes, sizeof yes},
    };
    CK_OBJECT_HANDLE key;
    must(p11->C_DeriveKey(session, &derive, master, attributes, 4, &key), "C_DeriveKey");
    CK_MECHANISM sign = {CKM_DES3_CMAC, NULL, 0};
    CK_ULONG length = sizeof mac;
    must(p11->C_SignInit(session, &sign, key), "C_SignInit");
    must(p11->C_Sign(session, record, sizeof record, mac, &length), "C_Sign");
    must(p11->C_DestroyObject(session, key), "C_DestroyObject");
}

int main(int argc, char **argv) {
    double seconds = argc > 1 ? atof(argv[1]) : 2;
    const char *library = getenv("SOFTHSM2_LIBRARY");
    void *handle = dlopen(library ? library : "/usr/lib/softhsm/libsofthsm2.so", RTLD_NOW);
    CK_C_GetFunctionList list = handle ? (CK_C_GetFunctionList)dlsym(handle, "C_GetFunctionList") : NULL;
    if (!list) {
        fprintf(stderr, "softhsm-chain: %s\n", dlerror());
        return 1;
    }
    must(list(&p11), "C_GetFunctionList");
    must(p11->C_Initialize(NULL), "C_Initialize");
    CK_SESSION_HANDLE session = open_token();
    CK_OBJECT_HANDLE master = make_master(session);
    unsigned long number = 0;
    for (double end = now() + 0.3; now() < end;) chain(session, master, number++);
    unsigned long warm = number;
    double began = now(), spent;
    do {
        for (int i = 0; i < 16; i++) chain(session, master, number++);
        spent = now() - began;
    } while (spent < seconds);
    printf("chains/s %.1f\n", (double)(number - warm) / spent);
    return 0;
}
