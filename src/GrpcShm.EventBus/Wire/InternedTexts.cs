using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace GrpcShm.EventBus.Wire;

/// <summary>
/// Strings of texts that come again and again: names of events and machines, content types. A text that is in the table
/// is found by its bytes, without a new string.
/// </summary>
/// <remarks>
/// <para>
/// The table has a fixed size, whatever a peer sends: a new text takes the place of another one. It does so only when
/// it comes a second time, since a text that comes once would cost more in the table than outside of it.
/// </para>
/// <para>
/// Any number of threads may use it at once, without a lock. Entries do not change, and a reader compares all bytes.
/// Two writers of one place may lose an entry: then the next reader makes a string of its own.
/// </para>
/// </remarks>
internal sealed class InternedTexts
{
    /// <summary>The most bytes of a text in the table. Longer ones are not kept.</summary>
    public const int MostBytes = 128;

    /// <summary>How many texts it keeps at most.</summary>
    public const int Capacity = 2 * Pairs;

    private const int Pairs = 512;

    // Two places for each hash: two texts that are used in turn do not push each other out.
    private readonly Entry?[] _newer = new Entry?[Pairs];
    private readonly Entry?[] _older = new Entry?[Pairs];

    // The hash of the last text that was not found.
    private readonly uint[] _missed = new uint[Pairs];

    /// <summary>The table of all clients of this process.</summary>
    public static InternedTexts Shared { get; } = new();

    /// <summary>Gives the string of a text.</summary>
    /// <param name="text">The text, in valid UTF-8.</param>
    public string Get(ReadOnlySpan<byte> text)
    {
        if (text.Length is 0 or > MostBytes)
        {
            return Encoding.UTF8.GetString(text);
        }

        var hash = Hash(text);
        var place = hash % Pairs;
        if (Volatile.Read(ref _newer[place]) is { } newer && newer.Is(text))
        {
            return newer.Text;
        }

        return Volatile.Read(ref _older[place]) is { } older && older.Is(text) ? older.Text : Add(text, hash);
    }

    private static uint Hash(ReadOnlySpan<byte> text)
    {
        const ulong multiplier = 0x9E37_79B9_7F4A_7C15;
        var hash = (ulong)text.Length;
        for (; text.Length >= sizeof(ulong); text = text[sizeof(ulong)..])
        {
            hash = BitOperations.RotateLeft((hash ^ BinaryPrimitives.ReadUInt64LittleEndian(text)) * multiplier, 31);
        }

        foreach (var rest in text)
        {
            hash = BitOperations.RotateLeft((hash ^ rest) * multiplier, 31);
        }

        return (uint)((hash * multiplier) >> 32);
    }

    private string Add(ReadOnlySpan<byte> text, uint hash)
    {
        var place = hash % Pairs;
        var made = Encoding.UTF8.GetString(text);
        if (Volatile.Read(ref _missed[place]) != hash)
        {
            Volatile.Write(ref _missed[place], hash);
            return made;
        }

        Volatile.Write(ref _older[place], Volatile.Read(ref _newer[place]));
        Volatile.Write(ref _newer[place], new Entry(text.ToArray(), made));
        return made;
    }

    private sealed class Entry(byte[] bytes, string text)
    {
        public string Text { get; } = text;

        public bool Is(ReadOnlySpan<byte> other) => other.SequenceEqual(bytes);
    }
}
