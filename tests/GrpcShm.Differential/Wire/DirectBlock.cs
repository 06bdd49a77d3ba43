using System.Text;
using GrpcShm.Differential.Requests;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Differential.Wire;

/// <summary>Blocks of fields as direct mode has them, with the pairs of one connection.</summary>
internal sealed class DirectBlock
{
    private const int FirstFree = 16;
    private const int MaxPairs = 256;
    private const int MaxPairValue = 1024;

    private readonly Dictionary<(int Name, string Value), int> _sent = [];
    private readonly Dictionary<int, HeaderPair> _received = [];
    private int _next = FirstFree;

    public DirectBlock()
    {
        for (var i = 0; i < HeaderNames.Pairs.Count; i++)
        {
            _sent.Add((HeaderNames.Pairs[i].Name, HeaderNames.Pairs[i].Value), i);
            _received.Add(i, HeaderNames.Pairs[i]);
        }
    }

    public byte[] Write(IReadOnlyList<Field> fields, string mark)
    {
        var block = new MemoryStream();
        foreach (var field in fields)
        {
            Write(block, field, field.IsMark ? Encoding.ASCII.GetBytes(mark) : field.Value);
        }

        return block.ToArray();
    }

    /// <summary>The status of an answer, or <see langword="null"/> if there is none in the block.</summary>
    public string? ReadStatus(ReadOnlySpan<byte> block)
    {
        string? status = null;
        while (!block.IsEmpty)
        {
            var first = ReadNumber(ref block);
            var number = (int)(first >> 2);
            var (name, value) = (HeaderNames.Unknown, "");
            switch (first & 3)
            {
                case 0:
                    block = block[number..];
                    ReadText(ref block);
                    break;
                case 1:
                    (name, value) = (number, ReadText(ref block));
                    break;
                case 2:
                    (name, value) = (_received[number].Name, _received[number].Value);
                    break;
                default:
                    var pair = (int)ReadNumber(ref block);
                    (name, value) = (number, ReadText(ref block));
                    _received[pair] = new HeaderPair(number, value);
                    break;
            }

            status = name == HeaderNames.Status ? value : status;
        }

        return status;
    }

    private static void WriteNumber(MemoryStream block, uint value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            block.WriteByte((byte)(value | 0x80));
        }

        block.WriteByte((byte)value);
    }

    private static void WriteText(MemoryStream block, byte[] text)
    {
        WriteNumber(block, (uint)text.Length);
        block.Write(text);
    }

    private static uint ReadNumber(ref ReadOnlySpan<byte> block)
    {
        var value = 0u;
        for (var shift = 0; ; shift += 7)
        {
            var next = block[0];
            block = block[1..];
            value |= (uint)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }

    private static string ReadText(ref ReadOnlySpan<byte> block)
    {
        var length = (int)ReadNumber(ref block);
        var text = Encoding.UTF8.GetString(block[..length]);
        block = block[length..];
        return text;
    }

    private void Write(MemoryStream block, Field field, byte[] value)
    {
        // Numbers stand for names in lower case; names with other letters must be sent as text.
        var name = field.NameText;
        var number = HeaderNames.NumberOf(name);
        if (number == HeaderNames.Unknown
            || (field.Spelling == 0 && !field.IsPseudo)
            || name != HeaderNames.NameOf(number))
        {
            WriteNumber(block, (uint)field.Name.Length << 2);
            block.Write(field.Name);
            WriteText(block, value);
            return;
        }

        var key = (number, Encoding.UTF8.GetString(value));
        var isText =
            Encoding.UTF8.GetBytes(key.Item2).AsSpan().SequenceEqual(value) && key.Item2.Length <= MaxPairValue;
        if (field.Spelling == 2 && isText && _sent.TryGetValue(key, out var known))
        {
            WriteNumber(block, ((uint)known << 2) | 2);
        }
        else if (field.Spelling == 2 && isText && _next < MaxPairs && !field.IsMark)
        {
            WriteNumber(block, ((uint)number << 2) | 3);
            WriteNumber(block, (uint)_next);
            WriteText(block, value);
            _sent.Add(key, _next++);
        }
        else
        {
            WriteNumber(block, ((uint)number << 2) | 1);
            WriteText(block, value);
        }
    }
}
