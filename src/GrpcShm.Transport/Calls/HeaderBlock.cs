using System.Buffers;
using System.Text;

namespace GrpcShm.Transport.Calls;

/// <summary>A block of headers or trailers on its way out. Reused; one thread at a time.</summary>
/// <remarks>
/// Most calls begin with the same fields as the call before, down to the instances of the strings. So a block
/// remembers, by their place, the fields that were sent as pairs. If the same field comes there again, the block
/// neither checks it nor looks it up.
/// </remarks>
internal sealed class HeaderBlock
{
    /// <summary>The largest block, in bytes, that a peer has to accept; see docs/why/protocol.md.</summary>
    public const int MaxSize = 64 * 1024;

    // The two numbers before a name and a value.
    private const int MaxPrefix = 10;

    private const int MaxRemembered = 16;

    // How many bytes a block keeps for the next call: calls are pooled, and a call with many headers must not make all
    // pooled calls large.
    private const int MaxKept = 4096;

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    private static readonly SearchValues<char> ForbiddenInValues = SearchValues.Create("\0\r\n");

    private readonly List<SentPairs.Entry> _definitions = [];
    private readonly (string? Name, string? Value, SentPairs.Entry? Pair)[] _remembered =
        new (string?, string?, SentPairs.Entry?)[MaxRemembered];
    private SentPairs? _rememberedOf;
    private int _fields;
    private byte[] _bytes = new byte[256];
    private int _length;
    private int _sent;

    /// <summary>Whether there is a block, even an empty one, that has not been sent in full.</summary>
    public bool IsPending { get; private set; }

    /// <summary>How many bytes of memory the block has.</summary>
    public int Capacity => _bytes.Length;

    /// <summary>The bytes that are still to be sent.</summary>
    public ReadOnlySpan<byte> Rest => _bytes.AsSpan(_sent, _length - _sent);

    /// <summary>Begins a new block.</summary>
    public void Begin()
    {
        Clear();
        IsPending = true;
    }

    public void Clear()
    {
        if (_bytes.Length > MaxKept)
        {
            _bytes = new byte[MaxKept];
        }

        _definitions.Clear();
        _length = 0;
        _sent = 0;
        _fields = 0;
        IsPending = false;
    }

    /// <summary>
    /// Adds a field if the same field was in this place before and needs no more than a reference.
    /// </summary>
    /// <param name="name">The name, the same instance as before.</param>
    /// <param name="value">The value, the same instance as before.</param>
    /// <param name="pairs">The pairs of the connection.</param>
    /// <returns>Whether the field was added.</returns>
    public bool TryRepeat(string name, string value, SentPairs pairs)
    {
        if (_fields >= MaxRemembered || !ReferenceEquals(_rememberedOf, pairs) || _length + MaxPrefix > MaxSize)
        {
            return false;
        }

        ref readonly var known = ref _remembered[_fields];
        if (!ReferenceEquals(known.Value, value) || !ReferenceEquals(known.Name, name))
        {
            return false;
        }

        _fields++;
        WriteNumber(((uint)known.Pair!.Number << 2) | 2);
        return true;
    }

    /// <summary>Adds a field.</summary>
    /// <param name="name">The name, in any case; sent in lower case.</param>
    /// <param name="value">The value.</param>
    /// <param name="pairs">The pairs of the connection.</param>
    /// <exception cref="InvalidOperationException">
    /// The peer would not accept the field, and would end the connection with all its calls. The block is unchanged.
    /// </exception>
    public void Add(string name, string value, SentPairs pairs)
    {
        if (TryRepeat(name, value, pairs))
        {
            return;
        }

        var number = HeaderNames.NumberOf(name);
        if (number != HeaderNames.Unknown)
        {
            Add(number, name, value, pairs);
            return;
        }

        if (name.Length == 0 || name.AsSpan().ContainsAnyExcept(NameCharacters))
        {
            throw new InvalidOperationException(
                $"The header name '{name}' is empty or has other characters than HTTP allows.");
        }

        CheckValue(name, value);
        _fields++;
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
    /// <exception cref="InvalidOperationException">The peer would not accept the field.</exception>
    public void Add(int name, string value, SentPairs pairs)
    {
        var text = HeaderNames.NameOf(name);
        if (!TryRepeat(text, value, pairs))
        {
            Add(name, text, value, pairs);
        }
    }

    /// <summary>
    /// Notes that the next bytes have a place in the ring. If those were the last bytes, the pairs that the block
    /// defines may be used.
    /// </summary>
    public void Advance(int count)
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

    private void Add(int number, string name, string value, SentPairs pairs)
    {
        CheckValue(name, value);
        var place = _fields++;
        if (!HeaderNames.MayBePair(number, value) || pairs.Find(number, value, out var isNew) is not { } pair)
        {
            WriteNumber(((uint)number << 2) | 1);
            WriteValue(value);
        }
        else if (!isNew)
        {
            WriteNumber(((uint)pair.Number << 2) | 2);
            Remember(place, name, value, pair, pairs);
        }
        else
        {
            WriteNumber(((uint)number << 2) | 3);
            WriteNumber((uint)pair.Number);
            WriteValue(value);
            _definitions.Add(pair);
        }
    }

    private void Remember(int place, string name, string value, SentPairs.Entry pair, SentPairs pairs)
    {
        if (!ReferenceEquals(_rememberedOf, pairs))
        {
            Array.Clear(_remembered);
            _rememberedOf = pairs;
        }

        if (place < MaxRemembered)
        {
            _remembered[place] = (name, value, pair);
        }
    }

    private void CheckValue(string name, string value)
    {
        var others = _length + name.Length + MaxPrefix;
        if (others + (value.Length * 3L) > MaxSize && others + Encoding.UTF8.GetByteCount(value) > MaxSize)
        {
            throw new InvalidOperationException(
                $"With '{name}' the headers or trailers of the call would be larger than {MaxSize} bytes. Send large "
                + "values as messages.");
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
