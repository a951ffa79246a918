# float16 and bfloat16 are stored and converted, never computed in.  Shared by the engine (one number) and the kernels (many).

cdef inline u32 bits_of(f32 x) noexcept nogil:
    cdef u32 b
    memcpy(&b, &x, 4)
    return b


cdef inline f32 f32_of(u32 b) noexcept nogil:
    cdef f32 x
    memcpy(&x, &b, 4)
    return x


cdef inline u16 f32_to_bfloat16(f32 x) noexcept nogil:
    """Round to nearest, ties to even; NaN stays quiet."""
    cdef u32 b = bits_of(x)
    if x != x:
        return <u16>0x7FC0
    return <u16>((b + 0x7FFF + ((b >> 16) & 1)) >> 16)


cdef inline f32 bfloat16_to_f32(u16 h) noexcept nogil:
    return f32_of(<u32>h << 16)


cdef inline u16 f32_to_half(f32 x) noexcept nogil:
    """Round to nearest, ties to even, through the float adder: adding a power of two rounds the mantissa where half ends."""
    cdef u32 b = bits_of(x), sign = (b >> 16) & 0x8000, magnitude = b & 0x7FFFFFFF
    if magnitude > 0x7F800000:
        return <u16>(sign | 0x7E00)
    if magnitude >= 0x477FF000:                   # rounds to 65536 or more
        return <u16>(sign | 0x7C00)
    if magnitude < 0x38800000:                    # subnormal half: units of 2^-24
        return <u16>(sign | (bits_of(f32_of(magnitude) + f32_of(0x3F000000)) - 0x3F000000))
    return <u16>(sign | ((magnitude + 0xFFF + ((magnitude >> 13) & 1) - 0x38000000) >> 13))


cdef inline f32 half_to_f32(u16 h) noexcept nogil:
    cdef u32 sign = <u32>(h & 0x8000) << 16, magnitude = h & 0x7FFF
    if magnitude >= 0x7C00:                       # inf and NaN
        return f32_of(sign | 0x7F800000 | ((magnitude & 0x3FF) << 13))
    if magnitude < 0x400:                         # subnormal: exact in float
        return f32_of(sign | bits_of(<f32>magnitude * f32_of(0x33800000)))
    return f32_of(sign | ((magnitude << 13) + 0x38000000))
