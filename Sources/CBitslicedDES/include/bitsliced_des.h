// The kernels of the bit-sliced DES: as many DES computations side by side as a vector has bits, by logic alone.
//
// A plane is a vector that holds one bit of every lane. No table is looked up by a secret and nothing branches on one, so neither
// caches nor time show anything. Everything here works in memory of the caller, which wipes it; what the functions themselves
// may have left on the stack and in vector registers goes with `forget`.
//
// Formats, for a kernel of N lanes:
//   blocks  N words of 64 bits; a word's memory is the block's eight bytes in order (little-endian machines only). The word of
//           lane j stands at index ((j % 64) ^ 7) * (N / 64) + j / 64; then result planes, byte by byte and from the highest
//           bit down, are in the order of lanes.
//   half    32 planes: one half of a block between the initial and the final permutation
//   key     112 planes: the 28 bits of C twice, then the 28 bits of D twice, so that a round's rotation is an offset
// All of it aligned to 64 bytes.
#pragma once
#include <stdint.h>

typedef struct {
    const char *name;
    /// Computations side by side: 64, 256 or 512.
    int lanes;
    /// left | right = IP(blocks), or that xored in. The blocks are used up.
    void (*load)(void *left, void *right, uint64_t *blocks);
    void (*absorb)(void *left, void *right, uint64_t *blocks);
    /// IP(word) xored into every lane. The word is public (a padding block, an initial vector): its bits are branched on.
    void (*absorb_word)(void *left, void *right, uint64_t word);
    /// blocks = FP(left | right).
    void (*store)(const void *left, const void *right, uint64_t *blocks);
    /// A key of its own in each lane; parity bits are ignored. The blocks are used up.
    void (*load_key)(void *key, uint64_t *blocks);
    /// One key in all lanes.
    void (*spread_key)(void *key, uint64_t bytes);
    /// The key whose bytes are FP(left | right), without leaving the planes.
    void (*key_from)(void *key, const void *left, const void *right);
    /// The key whose bytes are FP(left | right) xor FP(left2 | right2).
    void (*key_from_two)(
        void *key, const void *left, const void *right, const void *left2, const void *right2);
    /// The sixteen rounds. Afterwards what is in `left` is the right half and the other way round.
    void (*rounds)(void *left, void *right, const void *key, int deciphering);
    /// left | right = ~(left2 | right2).
    void (*invert)(void *left, void *right, const void *left2, const void *right2);
    /// left | right takes left2 | right2 in the lanes that are 1 in `mask` (N bits).
    void (*take)(void *left, void *right, const void *left2, const void *right2, const void *mask);
    /// One bit a lane: the first `bytes` bytes of FP(left | right) are all zero.
    void (*are_zero)(const void *left, const void *right, int bytes, uint64_t *lanes);
    /// Clears the vector registers and the stack below the caller.
    void (*forget)(void);
} kmsd_des_kernel;

/// The kernels, each zero or what its name says: 64 lanes in a machine word, 256 with AVX2, 256 and 512 with AVX-512's look-ups
/// of three bits. Null where this processor cannot run it.
const kmsd_des_kernel *kmsd_des_portable(void);
const kmsd_des_kernel *kmsd_des_avx2(void);
const kmsd_des_kernel *kmsd_des_avx512_half(void);
const kmsd_des_kernel *kmsd_des_avx512(void);

/// What an S-box circuit of a kernel gives: `inputs` holds six planes, `outputs` gets four. For the tests.
void kmsd_des_portable_sbox(int box, const void *inputs, void *outputs);
void kmsd_des_avx512_sbox(int box, const void *inputs, void *outputs);
