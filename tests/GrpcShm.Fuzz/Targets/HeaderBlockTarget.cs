using System.Text;
using GrpcShm.Transport;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Fuzz.Targets;

/// <summary>A block of headers in direct mode. All fields that can be read can be written and read again.</summary>
internal sealed class HeaderBlockTarget : IFuzzTarget
{
    public string Name => "header-block";

    public int Weight => 15;

    public int MaxLength => 300;

    public IEnumerable<byte[]> Seeds
    {
        get
        {
            var pairs = new SentPairs();
            var block = new HeaderBlock();
            yield return Write(
                block, pairs, (":method", "POST"), (":path", "/a.B/C"), ("te", "trailers"), ("x-own-bin", "AAECAw=="));
            yield return Write(
                block, pairs, ("content-type", "application/grpc"), ("grpc-timeout", "1S"), ("x-umlaut", "äöü"));
            yield return [0x0f, 0x20, 0x01, (byte)'a', 0x82, 0x01];
        }
    }

    public string Run(ReadOnlySpan<byte> input)
    {
        var received = new ReceivedPairs();
        var reader = new HeaderReader(input, received);
        var fields = new List<(string Name, string Value)>();
        try
        {
            while (reader.Read())
            {
                Verify(reader);
                fields.Add((reader.Name, reader.Value));
            }
        }
        catch (SharedMemoryProtocolException violation)
        {
            return Outcome.Of(violation);
        }
        catch (MalformedCallException exception)
        {
            return DrainAfter(exception, ref reader);
        }

        var again = new HeaderReader(Write(new HeaderBlock(), new SentPairs(), [.. fields]), new ReceivedPairs());
        foreach (var (name, value) in fields)
        {
            // Bytes that are no UTF-8 have been replaced by characters that are.
            FuzzFailureException.ThrowIf(
                !again.Read()
                    || again.Name != name
                    || Encoding.UTF8.GetByteCount(again.Value) != Encoding.UTF8.GetByteCount(value)
                    || again.Value != value,
                $"The field '{name}' differs after it has been written and read again.");
        }

        FuzzFailureException.ThrowIf(again.Read(), "There are more fields than were written.");
        return $"{Math.Min(fields.Count, 20)} fields";
    }

    private static string DrainAfter(MalformedCallException exception, ref HeaderReader reader)
    {
        try
        {
            reader.Drain();
            return Outcome.Of(exception);
        }
        catch (SharedMemoryProtocolException violation)
        {
            return Outcome.Of(violation);
        }
    }

    /// <summary>Checks the rules for the fields that a receiver sees, whatever its peer sends.</summary>
    public static void Verify(in HeaderReader reader)
    {
        FuzzFailureException.ThrowIf(
            reader.Name.Length == 0 || reader.Name.Any(c => c is <= ' ' or > '~' or >= 'A' and <= 'Z'),
            $"'{reader.Name}' is no name.");
        FuzzFailureException.ThrowIf(
            reader.Value.AsSpan().ContainsAny('\0', '\r', '\n'), "A value has a line break or a zero.");
    }

    private static byte[] Write(
        HeaderBlock block, SentPairs pairs, params ReadOnlySpan<(string Name, string Value)> fields)
    {
        block.Begin();
        foreach (var (name, value) in fields)
        {
            block.Add(name, value, pairs);
        }

        var bytes = block.Rest.ToArray();
        block.Advance(bytes.Length);
        return bytes;
    }
}
