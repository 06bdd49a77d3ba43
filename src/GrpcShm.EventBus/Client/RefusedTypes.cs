using System.Numerics;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// Refuses types that System.Text.Json mistakes for other types and writes without their content, wherever they stand
/// in a payload: a <c>JObject</c> would become <c>{"Count":[]}</c>. A type with its own converter is not refused.
/// </summary>
internal sealed class RefusedTypes(IJsonTypeInfoResolver inner) : IJsonTypeInfoResolver
{
    private const string NewtonsoftTokens = "Newtonsoft.Json.Linq";

    public JsonTypeInfo? GetTypeInfo(Type type, JsonSerializerOptions options)
    {
        var info = inner.GetTypeInfo(type, options);
        if (info is null or { Kind: JsonTypeInfoKind.None } || !LosesItsContent(type))
        {
            return info;
        }

        throw new NotSupportedException(
            $"A payload cannot hold a '{type.FullName}': System.Text.Json would write it without its content. "
            + "Add a codec for it (EventBusClientOptions.Codecs; samples/XStateNetAdapter/JTokenCodec.cs is one for "
            + "Newtonsoft's JToken) or a converter (EventBusClientOptions.Json), or send its text.");
    }

    private static bool LosesItsContent(Type type)
    {
        for (var ancestor = type; ancestor is not null; ancestor = ancestor.BaseType)
        {
            if (ancestor.Namespace == NewtonsoftTokens)
            {
                return true;
            }
        }

        return type == typeof(BigInteger) || type == typeof(Complex);
    }
}
