using System.Globalization;
using System.Text;
using GrpcShm.Differential.Requests;

namespace GrpcShm.Differential.Wire;

/// <summary>Blocks of fields of HTTP/2 (RFC 7541), as far as a client with a table of size 0 needs them.</summary>
internal static class HpackBlock
{
    private const int StatusIndex = 8;

    private static readonly string[] StaticStatuses = ["200", "204", "206", "304", "400", "404", "500"];

    /// <summary>Writes each field as a literal that is not indexed, with its name as text.</summary>
    public static byte[] Write(IReadOnlyList<Field> fields, string mark)
    {
        var block = new MemoryStream();
        foreach (var field in fields)
        {
            block.WriteByte(0);
            WriteText(block, field.Name);
            WriteText(block, field.IsMark ? Encoding.ASCII.GetBytes(mark) : field.Value);
        }

        return block.ToArray();
    }

    /// <summary>The status of an answer, or <see langword="null"/> if there is none in the block.</summary>
    public static int? ReadStatus(ReadOnlySpan<byte> block)
    {
        while (!block.IsEmpty)
        {
            var first = block[0];
            if ((first & 0x80) != 0)
            {
                var index = ReadNumber(ref block, 7);
                if (index is >= StatusIndex and < StatusIndex + 7)
                {
                    return int.Parse(StaticStatuses[index - StatusIndex], CultureInfo.InvariantCulture);
                }
            }
            else if ((first & 0xe0) == 0x20)
            {
                ReadNumber(ref block, 5);
            }
            else
            {
                var index = ReadNumber(ref block, (first & 0x40) != 0 ? 6 : 4);
                var name = index == 0 ? ReadText(ref block) : "";
                var value = ReadText(ref block);
                if (name == ":status" || index is >= StatusIndex and < StatusIndex + 7)
                {
                    return int.Parse(value, CultureInfo.InvariantCulture);
                }
            }
        }

        return null;
    }

    private static void WriteText(MemoryStream block, byte[] text)
    {
        if (text.Length < 127)
        {
            block.WriteByte((byte)text.Length);
        }
        else
        {
            block.WriteByte(127);
            var rest = text.Length - 127;
            for (; rest >= 128; rest >>= 7)
            {
                block.WriteByte((byte)(rest | 0x80));
            }

            block.WriteByte((byte)rest);
        }

        block.Write(text);
    }

    private static int ReadNumber(ref ReadOnlySpan<byte> block, int bits)
    {
        var most = (1 << bits) - 1;
        var value = block[0] & most;
        block = block[1..];
        for (var shift = 0; value >= most; shift += 7)
        {
            var next = block[0];
            block = block[1..];
            value += (next & 0x7f) << shift;
            if (next < 0x80)
            {
                break;
            }
        }

        return value;
    }

    private static string ReadText(ref ReadOnlySpan<byte> block)
    {
        var isCompressed = (block[0] & 0x80) != 0;
        var length = ReadNumber(ref block, 7);
        var text = isCompressed ? "(compressed)" : Encoding.Latin1.GetString(block[..length]);
        block = block[length..];
        return text;
    }
}
