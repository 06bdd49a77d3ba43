using System.Buffers.Binary;

namespace GrpcShm.Fuzz;

/// <summary>Makes new inputs from old ones. The same seed and the same inputs always give the same result.</summary>
internal sealed class Mutator(int seed, int maxLength)
{
    private static readonly long[] Interesting =
    [
        0, 1, 2, 3, 4, 7, 8, 16, 20, 28, 63, 64, 127, 128, 255, 256, 511, 512, 1023, 1024, 1025, 4095, 4096, 4097, 8192,
        short.MaxValue, ushort.MaxValue, 1 << 20, 64 << 20, int.MaxValue, uint.MaxValue, long.MaxValue,
        -1, -2, -4096, int.MinValue, long.MinValue,
    ];

    private readonly Random _random = new(seed);
    private readonly byte[] _buffer = new byte[maxLength];
    private int _length;

    /// <summary>Changes one input in one to eight places.</summary>
    /// <returns>The new input; valid until the next call.</returns>
    public ReadOnlySpan<byte> Next(IReadOnlyList<byte[]> corpus)
    {
        var start = corpus[_random.Next(corpus.Count)];
        _length = Math.Min(start.Length, maxLength);
        start.AsSpan(0, _length).CopyTo(_buffer);
        for (var changes = 1 << _random.Next(4); changes > 0; changes--)
        {
            Change(corpus);
        }

        return _buffer.AsSpan(0, _length);
    }

    private void Change(IReadOnlyList<byte[]> corpus)
    {
        var at = _random.Next(_length + 1);
        var count = Math.Min(_length - at, 1 << _random.Next(6));
        switch (_random.Next(9))
        {
            case 0 when at < _length:
                _buffer[at] ^= (byte)(1 << _random.Next(8));
                break;
            case 1 when at < _length:
                _buffer[at] = (byte)_random.Next(256);
                break;
            case 2:
                WriteNumber(at, Interesting[_random.Next(Interesting.Length)] + _random.Next(-1, 2));
                break;
            case 3:
                _random.NextBytes(_buffer.AsSpan(at, count));
                break;
            case 4:
                _buffer.AsSpan(at + count, _length - at - count).CopyTo(_buffer.AsSpan(at));
                _length -= count;
                break;
            case 5:
                Insert(at, _buffer.AsSpan(at, count).ToArray());
                break;
            case 6:
                var bytes = new byte[1 << _random.Next(6)];
                _random.NextBytes(bytes);
                Insert(at, bytes);
                break;
            case 7:
                var other = corpus[_random.Next(corpus.Count)];
                var from = _random.Next(other.Length + 1);
                Insert(at, other.AsSpan(from, Math.Min(other.Length - from, 1 << _random.Next(8))));
                break;
            default:
                _length = at;
                break;
        }
    }

    private void WriteNumber(int at, long number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        bytes = bytes[..Math.Min(_length - at, 1 << _random.Next(4))];
        bytes.CopyTo(_buffer.AsSpan(at));
    }

    private void Insert(int at, ReadOnlySpan<byte> bytes)
    {
        bytes = bytes[..Math.Min(bytes.Length, maxLength - _length)];
        _buffer.AsSpan(at, _length - at).CopyTo(_buffer.AsSpan(at + bytes.Length));
        bytes.CopyTo(_buffer.AsSpan(at));
        _length += bytes.Length;
    }
}
