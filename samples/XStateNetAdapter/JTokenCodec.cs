using System.Diagnostics.CodeAnalysis;
using System.Text;
using Google.Protobuf;
using GrpcShm.EventBus;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

namespace Samples.XStateNetAdapter;

/// <summary>Payloads of Newtonsoft's <see cref="JToken"/>. They are sent as ordinary JSON.</summary>
internal sealed class JTokenCodec : IPayloadCodec
{
    private const string ContentType = "application/json";
    private static readonly string TypeName = typeof(JToken).FullName!;

    public bool TryEncode(object payload, out EncodedPayload encoded)
    {
        if (payload is not JToken token)
        {
            encoded = default;
            return false;
        }

        encoded = new EncodedPayload(ByteString.CopyFromUtf8(token.ToString(Formatting.None)), ContentType, TypeName);
        return true;
    }

    public bool TryDecode(in EncodedPayload encoded, Type? wanted, [NotNullWhen(true)] out object? payload)
    {
        payload = null;
        var isWanted = wanted is null ? encoded.TypeName == TypeName : wanted.IsAssignableTo(typeof(JToken));
        if (!isWanted || encoded.ContentType != ContentType)
        {
            return false;
        }

        try
        {
            // Dates stay text, and the depth of data from another process is limited.
            using var reader = new JsonTextReader(new StringReader(encoded.Data.ToString(Encoding.UTF8)))
            {
                DateParseHandling = DateParseHandling.None,
                MaxDepth = 64,
            };
            payload = JToken.Load(reader);
            return true;
        }
        catch (JsonException exception)
        {
            throw new FormatException("The payload is not JSON.", exception);
        }
    }
}
