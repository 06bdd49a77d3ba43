using System.Buffers;
using System.Text;

namespace GrpcShm.Transport.Calls;

/// <summary>A block of headers or trailers on its way out. Reused; one thread at a time.</summary>
internal sealed class HeaderBlock
{
    /// <summary>The largest block, in bytes, that a peer has to accept; see docs/protocol.md.</summary>
    public const int MaxSize = 64 * 1024;

    // The two numbers before a name and a value.
    private const int MaxPrefix = 10;

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    private static readonly SearchValues<char> ForbiddenInValues = SearchValues.Create("\0\r\n");

    private readonly List<SentPairs.Entry> _definitions = [];
    private byte[] _bytes = new byte[256];
    private int _length;
    private int _sent;

    /// <summary>Whether there is a block, even an empty one, that has not been sent in full.</summary>
    public bool IsPending { get; private set; }

    /// <summary>What is still to be sent.</summary>
    public ReadOnlySpan<byte> Rest => _bytes.AsSpan(_sent, _length - _sent);

    /// <summary>Begins a new block.</summary>
    public void Begin()
    {
        Clear();
        IsPending = true;
    }

    public void Clear()
    {
        _definitions.Clear();
        _length = 0;
        _sent = 0;
        IsPending = false;
    }

    /// <summary>Adds a field.</summary>
    /// <param name="name">The name, in any case; sent in lower case.</param>
    /// <param name="value">The value.</param>
    /// <param name="pairs">The pairs of the connection.</param>
    /// <exception cref="InvalidOperationException">
    /// The peer would not accept it, and end the connection with all its calls. The block is as before.
    /// </exception>
    public void Add(string name, string value, SentPairs pairs)
    {
        var number = HeaderNames.NumberOf(name);
        if (number != HeaderNames.Unknown)
        {
            Add(number, value, pairs);
            return;
        }

        if (name.Length == 0 || name.AsSpan().ContainsAnyExcept(NameCharacters))
        {
            throw new InvalidOperationException($"The header name '{name}' is empty or has other characters than HTTP allows.");
        }

        CheckValue(name, value);
        WriteNumber((uint)name.Length << 2);
        var destination = Reserve(name.Length);
        for (var i = 0; i < name.Length; i++)
        {
            destination[i] = (byte)char.ToLowerInvariant(name[i]);
        }

        _length += name.Length;
        WriteValue(value);
    }

    /// <summary>Adds a field whose name has a number.</summary>
    /// <exception cref="InvalidOperationException">See the other one.</exception>
    public void Add(int name, string value, SentPairs pairs)
    {
        CheckValue(HeaderNames.NameOf(name), value);
        if (!HeaderNames.MayBePair(name, value) || pairs.Find(name, value, out var isNew) is not { } pair)
        {
            WriteNumber(((uint)name << 2) | 1);
            WriteValue(value);
        }
        else if (!isNew)
        {
            WriteNumber(((uint)pair.Number << 2) | 2);
        }
        else
        {
            WriteNumber(((uint)name << 2) | 3);
            WriteNumber((uint)pair.Number);
            WriteValue(value);
            _definitions.Add(pair);
        }
    }

    /// <summary>Notes that a piece has been claimed in the ring. When it was the last, what it defines may be used.</summary>
    public void Claimed(int count)
    {
        _sent += count;
        if (_sent == _length)
        {
            foreach (var pair in _definitions)
            {
                pair.IsUsable = true;
            }

            Clear();
        }
    }

    private void CheckValue(string name, string value)
    {
        var others = _length + name.Length + MaxPrefix;
        if (others + (value.Length * 3L) > MaxSize && others + Encoding.UTF8.GetByteCount(value) > MaxSize)
        {
            throw new InvalidOperationException(
                $"With '{name}' the headers or trailers of the call would be larger than {MaxSize} bytes. Send large values as messages.");
        }

        if (value.AsSpan().ContainsAny(ForbiddenInValues))
        {
            throw new InvalidOperationException($"The value of the header '{name}' has a line break or a zero in it.");
        }
    }

    private void WriteNumber(uint value)
    {
        Reserve(5);
        while (value >= 0x80)
        {
            _bytes[_length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        _bytes[_length++] = (byte)value;
    }

    private void WriteValue(string value)
    {
        var size = Encoding.UTF8.GetByteCount(value);
        WriteNumber((uint)size);
        Encoding.UTF8.GetBytes(value, Reserve(size));
        _length += size;
    }

    private Span<byte> Reserve(int count)
    {
        if (_bytes.Length - _length < count)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + count));
        }

        return _bytes.AsSpan(_length, count);
    }
}
