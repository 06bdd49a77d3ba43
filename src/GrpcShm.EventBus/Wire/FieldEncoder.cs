using System.Text;

namespace GrpcShm.EventBus.Wire;

/// <summary>
/// Writes the fields of protobuf messages into memory that is large enough. Fields of the value that a message has
/// without them are left out. Tags have one byte.
/// </summary>
/// <param name="bytes">The memory.</param>
internal ref struct FieldEncoder(Span<byte> bytes)
{
    /// <summary>The most bytes that a tag and the number or the length behind it have together.</summary>
    public const int MostBeforeValue = 1 + 10;

    // The most bytes of UTF-8 that one character of a string becomes.
    private const int MostBytesOfCharacter = 3;
    private const int MostInOneByte = 0x7F;

    private readonly Span<byte> _bytes = bytes;

    /// <summary>How many bytes have been written.</summary>
    public int Position { get; private set; }

    /// <summary>Says how many bytes of memory a text needs at most, as a field.</summary>
    public static long MostBytesOf(string text) => MostBeforeValue + ((long)MostBytesOfCharacter * text.Length);

    /// <summary>Says how many bytes a text has as a field; zero if it is left out.</summary>
    public static int SizeOf(string text) =>
        text.Length == 0 ? 0 : FieldWriter.SizeWithTag(Encoding.UTF8.GetByteCount(text));

    /// <summary>Writes a text.</summary>
    public void Write(byte tag, string text)
    {
        if (text.Length == 0)
        {
            return;
        }

        if (text.Length <= MostInOneByte / MostBytesOfCharacter)
        {
            // Its length has one byte, whatever its characters are. So it need not be counted first.
            var count = Encoding.UTF8.GetBytes(text, _bytes[(Position + 2)..]);
            _bytes[Position] = tag;
            _bytes[Position + 1] = (byte)count;
            Position += 2 + count;
            return;
        }

        WriteLength(tag, Encoding.UTF8.GetByteCount(text));
        Position += Encoding.UTF8.GetBytes(text, _bytes[Position..]);
    }

    /// <summary>Writes a number.</summary>
    public void Write(byte tag, ulong number)
    {
        if (number != 0)
        {
            WriteVarint(tag, number);
        }
    }

    /// <summary>Writes the tag and the length of a value that is written next, or elsewhere.</summary>
    public void WriteLength(byte tag, int length) => WriteVarint(tag, (ulong)length);

    /// <summary>Gives out the memory for a value whose length was written. The caller fills it.</summary>
    public Span<byte> Take(int length)
    {
        var value = _bytes.Slice(Position, length);
        Position += length;
        return value;
    }

    private void WriteVarint(byte tag, ulong value)
    {
        _bytes[Position++] = tag;
        for (; value >= 0x80; value >>= 7)
        {
            _bytes[Position++] = (byte)(value | 0x80);
        }

        _bytes[Position++] = (byte)value;
    }
}
