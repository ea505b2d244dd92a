// The body of a kernel. The file that includes it defines V (the vector), LANES, NAME(x), the gates, and WIPE_REGISTERS.
#include "bitsliced_des.h"
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
#define EACH _Pragma("clang loop unroll(full)") for

// FIPS 46-3, counted from 0. Bit n of the standard (0 = first) is bit n ^ 7 of the little-endian word.
static const uint8_t initial[64] = {
    57, 49, 41, 33, 25, 17, 9,  1, 59, 51, 43, 35, 27, 19, 11, 3, 61, 53, 45, 37, 29, 21, 13, 5, 63, 55, 47, 39, 31, 23, 15, 7,
    56, 48, 40, 32, 24, 16, 8,  0, 58, 50, 42, 34, 26, 18, 10, 2, 60, 52, 44, 36, 28, 20, 12, 4, 62, 54, 46, 38, 30, 22, 14, 6,
};
// Where bit n of the S-boxes' output goes: the inverse of P.
static const uint8_t spread[32] = {
    8, 16, 22, 30, 12, 27, 1, 17, 23, 15, 29, 5, 25, 19, 9, 0, 7, 13, 24, 2, 3, 28, 10, 18, 31, 11, 21, 6, 4, 26, 14, 20,
};
static const uint8_t choice1[56] = {
    56, 48, 40, 32, 24, 16, 8,  0, 57, 49, 41, 33, 25, 17, 9,  1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35,
    62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 60, 52, 44, 36, 28, 20, 12, 4, 27, 19, 11, 3,
};
// As an index into a key: the bits of D stand behind both copies of C.
#define D(n) ((n) + 28)
static const uint8_t choice2[48] = {
    13, 16, 10, 23, 0, 4, 2, 27, 14, 5, 20, 9, 22, 18, 11, 3, 25, 7, 15, 6, 26, 19, 12, 1,
    D(40), D(51), D(30), D(36), D(46), D(54), D(29), D(39), D(50), D(44), D(32), D(47),
    D(43), D(48), D(38), D(55), D(33), D(52), D(45), D(41), D(49), D(35), D(28), D(31),
};
#undef D
// Rotation of C and D in each round, added up.
static const uint8_t rotation[16] = {1, 2, 4, 6, 8, 10, 12, 14, 15, 17, 19, 21, 23, 25, 27, 28};

// MARK: Transposing

// Exchanges the bits of b under the mask with those of a that stand `shift` higher.
INLINE void exchange(V *a, V *b, int shift, uint64_t mask) {
    V difference = AND(XOR(RIGHT(*a, shift), *b), ALL(mask));
    *b = XOR(*b, difference);
    *a = XOR(*a, LEFT(difference, shift));
}

// Three of the six levels on eight vectors, whose numbers differ by `step`.
INLINE void exchange8(V v[8], int step) {
    const uint64_t masks[6] = {
        0x5555555555555555, 0x3333333333333333, 0x0F0F0F0F0F0F0F0F, 0x00FF00FF00FF00FF, 0x0000FFFF0000FFFF, 0x00000000FFFFFFFF,
    };
    const int low = step == 1 ? 0 : 3;
    EACH (int level = 2; level >= 0; level--) {
        EACH (int k = 0; k < 8; k++) {
            if (!(k & 1 << level)) exchange(&v[k], &v[k | 1 << level], step << level, masks[low + level]);
        }
    }
}

// 64 x 64 bits in each 64-bit element: bit b of vector q becomes bit q of vector b.
INLINE void transpose_coarse(V *v) {
    for (int i = 0; i < 8; i++) {
        V part[8];
        EACH (int k = 0; k < 8; k++) part[k] = v[i + 8 * k];
        exchange8(part, 8);
        EACH (int k = 0; k < 8; k++) v[i + 8 * k] = part[k];
    }
}

INLINE void transpose_fine(V part[8], const V *v, int i) {
    EACH (int k = 0; k < 8; k++) part[k] = v[8 * i + k];
    exchange8(part, 1);
}

// MARK: Blocks and keys

INLINE void enter(V *left, V *right, V *v, int absorbing) {
    transpose_coarse(v);
    EACH (int i = 0; i < 8; i++) {
        V part[8];
        transpose_fine(part, v, i);
        EACH (int n = 0; n < 64; n++) {
            const int plane = initial[n] ^ 7;
            if (plane >> 3 != i) continue;
            V *to = n < 32 ? &left[n] : &right[n - 32];
            *to = absorbing ? XOR(*to, part[plane & 7]) : part[plane & 7];
        }
    }
}

static void NAME(load)(void *left, void *right, uint64_t *blocks) { enter(left, right, (V *)blocks, 0); }
static void NAME(absorb)(void *left, void *right, uint64_t *blocks) { enter(left, right, (V *)blocks, 1); }

static void NAME(absorb_word)(void *left, void *right, uint64_t word) {
    for (int n = 0; n < 64; n++) {
        V *to = n < 32 ? (V *)left + n : (V *)right + n - 32;
        if (word >> (initial[n] ^ 7) & 1) *to = XOR(*to, ALL(~0ull));
    }
}

// Plane `plane` of FP(left | right).
INLINE V out(const V *left, const V *right, int plane) {
    V result = ALL(0);
    EACH (int n = 0; n < 64; n++) {
        if ((initial[n] ^ 7) == plane) result = n < 32 ? left[n] : right[n - 32];
    }
    return result;
}

static void NAME(store)(const void *left, const void *right, uint64_t *blocks) {
    V *v = (V *)blocks;
    EACH (int n = 0; n < 64; n++) v[initial[n] ^ 7] = n < 32 ? ((const V *)left)[n] : ((const V *)right)[n - 32];
    transpose_coarse(v);
    for (int i = 0; i < 8; i++) {
        V part[8];
        transpose_fine(part, v, i);
        EACH (int k = 0; k < 8; k++) v[8 * i + k] = part[k];
    }
}

// Bit n of C | D, twice.
INLINE void set_key(V *key, int n, V value) {
    V *to = n < 28 ? key + n : key + n + 28;
    to[0] = value;
    to[28] = value;
}

static void NAME(load_key)(void *key, uint64_t *blocks) {
    V *v = (V *)blocks;
    transpose_coarse(v);
    EACH (int i = 0; i < 8; i++) {
        V part[8];
        transpose_fine(part, v, i);
        EACH (int n = 0; n < 56; n++) {
            const int plane = choice1[n] ^ 7;
            if (plane >> 3 == i) set_key(key, n, part[plane & 7]);
        }
    }
}

static void NAME(spread_key)(void *key, uint64_t bytes) {
    for (int n = 0; n < 56; n++) set_key(key, n, ALL(0 - (bytes >> (choice1[n] ^ 7) & 1)));
}

static void NAME(key_from)(void *key, const void *left, const void *right) {
    EACH (int n = 0; n < 56; n++) set_key(key, n, out(left, right, choice1[n] ^ 7));
}

static void NAME(key_from_two)(
    void *key, const void *left, const void *right, const void *left2, const void *right2) {
    EACH (int n = 0; n < 56; n++) {
        set_key(key, n, XOR(out(left, right, choice1[n] ^ 7), out(left2, right2, choice1[n] ^ 7)));
    }
}

// MARK: Rounds

// left ^= f(right, the key at its rotation).
INLINE void half_round(V *restrict left, const V *restrict right, const V *restrict key) {
    V y0, y1, y2, y3;
#define BOX(b)                                                                                                                 \
    sbox##b(                                                                                                                   \
        XOR(right[(4 * b + 27) & 31], key[choice2[6 * b - 6]]), XOR(right[(4 * b + 28) & 31], key[choice2[6 * b - 5]]),        \
        XOR(right[(4 * b + 29) & 31], key[choice2[6 * b - 4]]), XOR(right[(4 * b + 30) & 31], key[choice2[6 * b - 3]]),        \
        XOR(right[(4 * b + 31) & 31], key[choice2[6 * b - 2]]), XOR(right[(4 * b + 32) & 31], key[choice2[6 * b - 1]]), &y0,   \
        &y1, &y2, &y3);                                                                                                        \
    left[spread[4 * b - 4]] = XOR(left[spread[4 * b - 4]], y0);                                                                \
    left[spread[4 * b - 3]] = XOR(left[spread[4 * b - 3]], y1);                                                                \
    left[spread[4 * b - 2]] = XOR(left[spread[4 * b - 2]], y2);                                                                \
    left[spread[4 * b - 1]] = XOR(left[spread[4 * b - 1]], y3);
    BOX(1) BOX(2) BOX(3) BOX(4) BOX(5) BOX(6) BOX(7) BOX(8)
#undef BOX
}

static void NAME(rounds)(void *left, void *right, const void *key, int deciphering) {
    const V *planes = key;
    const int flip = deciphering ? 15 : 0;
    _Pragma("clang loop unroll(disable)") for (int round = 0; round < 16; round += 2) {
        half_round(left, right, planes + rotation[round ^ flip]);
        half_round(right, left, planes + rotation[(round + 1) ^ flip]);
    }
}

// MARK: Lanes

static void NAME(invert)(void *left, void *right, const void *left2, const void *right2) {
    for (int n = 0; n < 32; n++) {
        ((V *)left)[n] = XOR(((const V *)left2)[n], ALL(~0ull));
        ((V *)right)[n] = XOR(((const V *)right2)[n], ALL(~0ull));
    }
}

static void NAME(take)(void *left, void *right, const void *left2, const void *right2, const void *mask) {
    V chosen;
    memcpy(&chosen, mask, sizeof chosen);
    V *l = left, *r = right;
    const V *l2 = left2, *r2 = right2;
    for (int n = 0; n < 32; n++) {
        l[n] = XOR(l[n], AND(XOR(l[n], l2[n]), chosen));
        r[n] = XOR(r[n], AND(XOR(r[n], r2[n]), chosen));
    }
}

static void NAME(are_zero)(const void *left, const void *right, int bytes, uint64_t *lanes) {
    V any = ALL(0);
    for (int n = 0; n < 64; n++) {
        if ((initial[n] ^ 7) < 8 * bytes) any = OR(any, n < 32 ? ((const V *)left)[n] : ((const V *)right)[n - 32]);
    }
    any = XOR(any, ALL(~0ull));
    memcpy(lanes, &any, sizeof any);
}

static void __attribute__((noinline)) NAME(forget)(void) {
    // Deeper than any frame of this file.
    volatile uint64_t below[512];
    for (int i = 0; i < 512; i++) below[i] = 0;
    WIPE_REGISTERS
}

static const kmsd_des_kernel kernel = {
    TITLE, LANES, NAME(load), NAME(absorb), NAME(absorb_word), NAME(store), NAME(load_key), NAME(spread_key), NAME(key_from),
    NAME(key_from_two), NAME(rounds), NAME(invert), NAME(take), NAME(are_zero), NAME(forget),
};
