// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") and normal deviates from it.
//
// A number depends on what it is for and on nothing else: key = seed, counter = (instance, node, step / 4, stream).
// One call yields four normals (Box-Muller), used in the four steps that share a counter. `word` is an unsigned
// 32-bit integer on a GPU and a vector of them on a CPU; the target's header supplies it, with `multiply_wide`,
// `to_unit`, `log`, `sqrt` and `sincos2pi`.
#pragma once

RATEMLX_INLINE void philox(word counter[4], uint32_t key_low, uint32_t key_high)
{
    for (int round = 0; round < 10; ++round) {
        word high_0, low_0, high_1, low_1;
        multiply_wide(counter[0], 0xD2511F53u, high_0, low_0);
        multiply_wide(counter[2], 0xCD9E8D57u, high_1, low_1);
        counter[0] = high_1 ^ counter[1] ^ key_low;
        counter[1] = low_1;
        counter[2] = high_0 ^ counter[3] ^ key_high;
        counter[3] = low_0;
        key_low += 0x9E3779B9u;
        key_high += 0xBB67AE85u;
    }
}

RATEMLX_INLINE void box_muller(word first, word second, real &one, real &other)
{
    const real radius = sqrt(log(to_unit(first)) * R(-2.0));
    real sine, cosine;
    sincos2pi(to_unit(second), sine, cosine);
    one = radius * cosine;
    other = radius * sine;
}

// Standard normals for the steps 4 * quad ... 4 * quad + 3: those of pairs [first_pair, last_pair). An instance is named by 56 bits: 32 in the first
// word of the counter, 24 above the 8 bits of the stream in the last.
RATEMLX_INLINE void normals_of(word instance_low, word instance_high, uint32_t node, uint32_t quad, uint32_t stream,
                               uint32_t key_low, uint32_t key_high, int first_pair, int last_pair, real normals[4])
{
    word counter[4] = {instance_low, word_of(node), word_of(quad), (instance_high << 8) ^ stream};
    philox(counter, key_low, key_high);
    if (first_pair == 0) box_muller(counter[0], counter[1], normals[0], normals[1]);
    if (last_pair == 2) box_muller(counter[2], counter[3], normals[2], normals[3]);
}
