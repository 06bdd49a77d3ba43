using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using Google.Protobuf;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.TestHost;

/// <summary>Message bodies that look random and that both processes can compute.</summary>
public static class TestBody
{
    /// <summary>Makes a body.</summary>
    public static ByteString Create(int size, ulong seed)
    {
        var bytes = new byte[size];
        var state = seed;
        foreach (ref var word in MemoryMarshal.Cast<byte, ulong>(bytes.AsSpan()))
        {
            word = Next(ref state);
        }

        Span<byte> rest = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(rest, Next(ref state));
        rest[..(size % sizeof(ulong))].CopyTo(bytes.AsSpan(size - (size % sizeof(ulong))));
        return UnsafeByteOperations.UnsafeWrap(bytes);
    }

    /// <summary>Makes the body that a piece describes.</summary>
    public static ByteString Create(Piece piece) => Create(piece.Size, piece.Seed);

    /// <summary>The hash by which the two sides compare.</summary>
    public static ByteString Hash(ByteString body) => ByteString.CopyFrom(XxHash128.Hash(body.Span));

    // SplitMix64: every seed, 0 included, gives a stream without short cycles.
    private static ulong Next(ref ulong state)
    {
        var z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
