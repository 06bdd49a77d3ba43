using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace GrpcShm.Transport.Calls;

/// <summary>Reads the fields of a block that lies in private memory.</summary>
internal ref struct HeaderReader
{
    private static readonly SearchValues<byte> NameBytes =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"u8);

    private static readonly SearchValues<byte> ForbiddenInValues = SearchValues.Create("\0\r\n"u8);

    private readonly ReceivedPairs _pairs;
    private ReadOnlySpan<byte> _rest;

    public HeaderReader(ReadOnlySpan<byte> block, ReceivedPairs pairs)
    {
        _rest = block;
        _pairs = pairs;
    }

    /// <summary>The last field's name by number, or <see cref="HeaderNames.Unknown"/>.</summary>
    public int Number { get; private set; }

    public string Name { get; private set; } = "";

    public string Value { get; private set; } = "";

    /// <summary>The last field as a pair, if it came as one.</summary>
    public HeaderPair? Pair { get; private set; }

    /// <summary>Goes to the next field.</summary>
    /// <exception cref="SharedMemoryProtocolException">The block is malformed.</exception>
    public bool Read()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }

        var first = ReadNumber();
        var number = first >> 2;
        Pair = null;
        switch (first & 3)
        {
            case 0:
                Number = HeaderNames.Unknown;
                Name = ReadName(number);
                Value = ReadValue();
                break;
            case 1:
                SetKnown(number);
                Value = ReadValue();
                break;
            case 2:
                Pair = _pairs.Get(number);
                SetKnown((uint)Pair.Name);
                Value = Pair.Value;
                break;
            default:
                SetKnown(number);
                var pair = ReadNumber();
                Value = ReadValue();
                Pair = _pairs.Define(pair, (int)number, Value);
                break;
        }

        return true;
    }

    private void SetKnown(uint number)
    {
        if (number >= HeaderNames.Count)
        {
            Throw($"The peer sent the header name {number}, which this release does not know.");
        }

        Number = (int)number;
        Name = HeaderNames.NameOf((int)number);
    }

    private uint ReadNumber()
    {
        var value = 0u;
        for (var i = 0; i < _rest.Length && i < 5; i++)
        {
            var b = _rest[i];
            value |= (uint)(b & 0x7f) << (7 * i);
            if (b < 0x80)
            {
                if (i == 4 && b > 0x0f)
                {
                    break;
                }

                _rest = _rest[(i + 1)..];
                return value;
            }
        }

        Throw("The peer sent a header block with a number that does not end, or is too large.");
        return 0;
    }

    private ReadOnlySpan<byte> Take(uint length)
    {
        if (length > (uint)_rest.Length)
        {
            Throw($"The peer sent a header block that ends {length - _rest.Length} bytes too early.");
        }

        var bytes = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return bytes;
    }

    private string ReadName(uint length)
    {
        var bytes = Take(length);
        if (bytes.IsEmpty || bytes.ContainsAnyExcept(NameBytes))
        {
            Throw("The peer sent a header name that is empty or has other characters than HTTP allows.");
        }

        return Encoding.ASCII.GetString(bytes);
    }

    private string ReadValue()
    {
        var bytes = Take(ReadNumber());
        if (bytes.ContainsAny(ForbiddenInValues))
        {
            Throw($"The peer sent a value of the header '{Name}' with a line break or a zero in it.");
        }

        return Encoding.UTF8.GetString(bytes);
    }

    [DoesNotReturn]
    private static void Throw(string message) => throw new SharedMemoryProtocolException(message);
}
