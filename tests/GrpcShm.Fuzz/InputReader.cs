using System.Buffers.Binary;

namespace GrpcShm.Fuzz;

/// <summary>Reads values from an input; after its end all values are 0.</summary>
internal ref struct InputReader(ReadOnlySpan<byte> input)
{
    private ReadOnlySpan<byte> _rest = input;

    public readonly bool IsEmpty => _rest.IsEmpty;

    /// <summary>The part of the input that has not been read yet.</summary>
    public readonly ReadOnlySpan<byte> Rest => _rest;

    public byte TakeByte() => (byte)Take(1);

    public int TakeUInt16() => (int)Take(2);

    public uint TakeUInt32() => (uint)Take(4);

    public long TakeInt64() => Take(8);

    private long Take(int count)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        bytes.Clear();
        count = Math.Min(count, _rest.Length);
        _rest[..count].CopyTo(bytes);
        _rest = _rest[count..];
        return BinaryPrimitives.ReadInt64LittleEndian(bytes);
    }
}
