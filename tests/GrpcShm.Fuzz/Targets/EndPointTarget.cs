using System.Text;
using GrpcShm.Transport;
using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Fuzz.Targets;

/// <summary>Addresses, as in configurations and URLs.</summary>
internal sealed class EndPointTarget : IFuzzTarget
{
    public string Name => "endpoint";

    public int Weight => 6;

    public int MaxLength => 300;

    public IEnumerable<byte[]> Seeds =>
        ((string[])
        [
            "xstatenet", "shm:orders", "shm:///run/orders.sock", "/run/orders.sock", "shm://orders", ".hidden",
            "a/../b", "shm:ä", "http://shm:/orders", "http://shm:///run/orders.sock",
            "shm:/orders", "shm:/run/orders.sock",
        ])
        .Select(Encoding.UTF8.GetBytes);

    public string Run(ReadOnlySpan<byte> input)
    {
        var text = Encoding.UTF8.GetString(input);
        if (!SharedMemoryEndPoint.TryParse(text, out var endPoint))
        {
            return Reason(text);
        }

        FuzzFailureException.ThrowIf(
            !new SharedMemoryEndPoint(endPoint.ToString()).Equals(endPoint),
            "An address is not read as it was written.");
        FuzzFailureException.ThrowIf(
            !new SharedMemoryEndPoint($"http://{endPoint.InAddress()}").Equals(endPoint),
            "An address is not read as it is shown.");
        FuzzFailureException.ThrowIf(
            !new SharedMemoryEndPoint($"{endPoint.InAddress()}").Equals(endPoint),
            "An address is not read as it is shown, without 'http://'.");
        FuzzFailureException.ThrowIf(endPoint.IsPath != Path.IsPathRooted(endPoint.Name), "A name is a path.");
        FuzzFailureException.ThrowIf(endPoint.Name.Contains('\0', StringComparison.Ordinal), "A name has a zero.");
        if (!endPoint.IsPath)
        {
            FuzzFailureException.ThrowIf(
                Path.GetDirectoryName(RendezvousPaths.SocketPath("/directory", endPoint)) != "/directory",
                "A name leaves its directory.");
        }

        return endPoint.IsPath ? "path" : "name";
    }

    private static string Reason(string text)
    {
        try
        {
            return $"Taken: {new SharedMemoryEndPoint(text)}";
        }
        catch (ArgumentException refusal)
        {
            // The outcome is without the address itself, which the message may quote first.
            var quote = $"'{text}'";
            var message = refusal.Message;
            var reason = message.StartsWith(quote, StringComparison.Ordinal) ? message[quote.Length..] : message;
            return Outcome.Of(reason.Replace(':', ' '));
        }
    }
}
