using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Unicode;

namespace GrpcShm.Transport.Calls;

/// <summary>Reads the fields of a block that lies in private memory.</summary>
/// <remarks>
/// A block that cannot be read breaks the connection, since the pairs that the rest of the block defines would be
/// missed. A field that can be read but is not allowed breaks its call alone: the reader has passed the field when it
/// throws, and can go on.
/// </remarks>
internal ref struct HeaderReader
{
    private static readonly SearchValues<byte> NameBytes =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"u8);

    private static readonly SearchValues<byte> ForbiddenInValues = SearchValues.Create("\0\r\n"u8);

    private readonly ReceivedPairs _pairs;
    private readonly int _maxFields;
    private readonly int _maxSize;
    private ReadOnlySpan<byte> _rest;
    private string? _flaw;

    public HeaderReader(
        ReadOnlySpan<byte> block, ReceivedPairs pairs, int maxFields = int.MaxValue, int maxSize = int.MaxValue)
    {
        _rest = block;
        _pairs = pairs;
        _maxFields = maxFields;
        _maxSize = maxSize;
    }

    /// <summary>The last field's name by number, however it was sent, or <see cref="HeaderNames.Unknown"/>.</summary>
    public int Number { get; private set; }

    public string Name { get; private set; } = "";

    public string Value { get; private set; } = "";

    /// <summary>The last field as a pair, if it came as one.</summary>
    public HeaderPair? Pair { get; private set; }

    /// <summary>How many fields have been read.</summary>
    public int Fields { get; private set; }

    /// <summary>
    /// How many bytes the names and values of the fields have, also if the block only refers to a pair.
    /// </summary>
    public int Size { get; private set; }

    /// <summary>Goes to the next field.</summary>
    /// <exception cref="SharedMemoryProtocolException">The block is malformed.</exception>
    /// <exception cref="MalformedCallException">The field is malformed, or there are too many; reading may go
    /// on.</exception>
    public bool Read()
    {
        if (!Next())
        {
            return false;
        }

        if (_flaw is not null)
        {
            ThrowFlaw();
        }

        if (Fields > _maxFields || Size > _maxSize)
        {
            ThrowTooMuch();
        }

        return true;
    }

    /// <summary>Reads the rest for the pairs that it defines, and makes no strings of other fields.</summary>
    /// <exception cref="SharedMemoryProtocolException">The block is malformed.</exception>
    public void Drain()
    {
        while (!_rest.IsEmpty)
        {
            var first = ReadNumber();
            switch (first & 3)
            {
                case 0:
                    Take(first >> 2);
                    Take(ReadNumber());
                    break;
                case 1:
                    SetKnown(first >> 2);
                    Take(ReadNumber());
                    break;
                case 2:
                    _pairs.Get(first >> 2);
                    break;
                default:
                    ReadDefinition(first >> 2);
                    break;
            }
        }
    }

    private bool Next()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }

        var first = ReadNumber();
        var number = first >> 2;
        Pair = null;
        _flaw = null;
        switch (first & 3)
        {
            case 0:
                Name = ReadName(number);

                // A peer may spell out a name that has a number. That must not let it evade checks of the number.
                Number = HeaderNames.NumberOf(Name);
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
                _flaw = Pair.Flaw;
                Size += Pair.Size;
                break;
            default:
                ReadDefinition(number);
                break;
        }

        Fields++;
        return true;
    }

    private void ReadDefinition(uint number)
    {
        _flaw = null;
        SetKnown(number);
        var pair = ReadNumber();
        Value = ReadValue();
        Pair = _pairs.Define(pair, (int)number, Value, _flaw);
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
            _flaw = "The name of a header is empty or has other characters than HTTP/2 allows.";
            return "";
        }

        return Encoding.ASCII.GetString(bytes);
    }

    private string ReadValue()
    {
        var bytes = Take(ReadNumber());
        Size += Name.Length + bytes.Length;
        if (bytes.ContainsAny(ForbiddenInValues))
        {
            _flaw ??= $"The value of the header '{PeerText.Clean(Name)}' has a line break or a zero in it.";
        }
        else if (!Utf8.IsValid(bytes))
        {
            _flaw ??= $"The value of the header '{PeerText.Clean(Name)}' is no UTF-8.";
        }

        return Encoding.UTF8.GetString(bytes);
    }

    [DoesNotReturn]
    private static void Throw(string message) => throw new SharedMemoryProtocolException(message);

    [DoesNotReturn]
    private readonly void ThrowFlaw() => throw new MalformedCallException(CallError.Protocol, _flaw!);

    [DoesNotReturn]
    private readonly void ThrowTooMuch() =>
        throw new MalformedCallException(
            CallError.TooMuch,
            $"The headers or trailers of the call are more than {_maxFields} fields, or more than {_maxSize} bytes.");
}
