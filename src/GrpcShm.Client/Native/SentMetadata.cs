using System.Diagnostics;
using Grpc.Core;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Native;

/// <summary>Writes the metadata of a call as header fields.</summary>
internal static class SentMetadata
{
    /// <summary>Writes the headers that the caller has set.</summary>
    /// <returns>
    /// The reason why the call has to be made by grpc-dotnet, which knows what these headers mean; nothing if they have
    /// been written.
    /// </returns>
    public static string? Write(Metadata headers, HeaderBlock block, SentPairs pairs)
    {
        for (var i = 0; i < headers.Count; i++)
        {
            var entry = headers[i];
            if (IsReserved(entry.Key))
            {
                return "its caller has set a header that is gRPC's or HTTP's own";
            }

            for (var j = 0; j < i; j++)
            {
                if (headers[j].Key == entry.Key)
                {
                    return "its caller has set a header twice";
                }
            }

            var value = entry.IsBinary ? Convert.ToBase64String(entry.ValueBytes) : entry.Value;
            if (value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            {
                return "its caller has set a header that is not ASCII, or has a control character";
            }

            block.Add(entry.Key, value, pairs);
        }

        return null;
    }

    /// <summary>
    /// Writes the headers by which the server continues a trace, but for those that the caller has set.
    /// </summary>
    /// <remarks>
    /// The span is the caller's own. Over HTTP each request has a span, and the server gets that one. Calls that are
    /// framed here have none, since nobody would see it.
    /// </remarks>
    /// <returns>As of the headers that the caller has set.</returns>
    public static string? Write(
        DistributedContextPropagator propagator, Activity span, Metadata? headers, HeaderBlock block, SentPairs pairs)
    {
        var carrier = new Carrier(headers, block, pairs);
        propagator.Inject(
            span, carrier, static (carrier, name, value) => ((Carrier)carrier!).Add(name, value));
        return carrier.WhyNot;
    }

    /// <summary>
    /// True if a header is one by which grpc-dotnet is told something, or one that HTTP or this channel sets.
    /// </summary>
    private static bool IsReserved(string name) =>
        name.StartsWith("grpc-", StringComparison.Ordinal)
        || ReceivedMetadata.IsOfContent(name)
        || name is "te" or "host" or "user-agent" or "expect" or "upgrade" or "connection" or "keep-alive"
            or "proxy-connection" or "transfer-encoding";

    /// <summary>
    /// Takes the fields of a propagator, which may be the application's own: each name once, and none of HTTP's.
    /// </summary>
    private sealed class Carrier(Metadata? headers, HeaderBlock block, SentPairs pairs)
    {
        private readonly List<string> _names = [];

        public string? WhyNot { get; private set; }

        public void Add(string name, string? value)
        {
            var key = name.ToLowerInvariant();
            if (key.StartsWith(':') || IsReserved(key) || _names.Contains(key)
                || headers?.Any(entry => entry.Key == key) == true)
            {
                return;
            }

            _names.Add(key);
            if (value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            {
                WhyNot = "its span has a header that is not ASCII, or has a control character";
                return;
            }

            block.Add(key, value ?? "", pairs);
        }
    }
}
