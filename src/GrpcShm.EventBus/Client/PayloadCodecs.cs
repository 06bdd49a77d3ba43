using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Google.Protobuf;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// The codecs of a client, or of a hub for its own machines: those of the options first, then bytes, protobuf messages
/// and JSON.
/// </summary>
internal sealed class PayloadCodecs
{
    public const string Bytes = "application/octet-stream";
    public const string Protobuf = "application/x-protobuf";
    public const string JsonType = "application/json";

    /// <summary>
    /// The members that trimming keeps of a type that payloads are decoded to: a message's constructor.
    /// </summary>
    public const DynamicallyAccessedMemberTypes PayloadMembers =
        DynamicallyAccessedMemberTypes.PublicParameterlessConstructor;

    private readonly IPayloadCodec[] _codecs;
    private readonly PayloadOptions _options;
    private readonly JsonSerializerOptions _json;
    private readonly Dictionary<string, Type> _knownTypes;

    public PayloadCodecs(PayloadOptions options)
    {
        _options = options;
        _codecs = [.. options.Codecs];
        _knownTypes = options.KnownTypes.ToDictionary(type => type.FullName ?? type.Name, StringComparer.Ordinal);
        foreach (var (name, type) in BuiltInPayloads.ByName)
        {
            _knownTypes.TryAdd(name, type);
        }

        _json = WithResolver(options.Json);
    }

    /// <summary>Encodes a payload into an event.</summary>
    public void EncodeInto(Event @event, object? payload)
    {
        if (payload is null)
        {
            return;
        }

        var encoded = Encode(payload);
        @event.Payload = encoded.Data;
        @event.ContentType = encoded.ContentType;
        @event.TypeName = encoded.TypeName;
    }

    /// <summary>Encodes the payload of an event that is sent. Bytes are not copied.</summary>
    /// <exception cref="NotSupportedException">The payload cannot be encoded.</exception>
    public NewPayload EncodeNew(object payload) => (_codecs.Length, payload) switch
    {
        // The codecs of the program come first.
        (0, byte[] bytes) => new NewPayload(bytes, Bytes, "", IsBorrowed: true),
        (0, ReadOnlyMemory<byte> bytes) => new NewPayload(bytes, Bytes, "", IsBorrowed: true),
        _ => NewPayload.Of(Encode(payload)),
    };

    public EncodedPayload Encode(object payload)
    {
        foreach (var codec in _codecs)
        {
            if (codec.TryEncode(payload, out var encoded))
            {
                return encoded;
            }
        }

        switch (payload)
        {
            case EncodedPayload encoded:
                return encoded;
            case ByteString bytes:
                return new EncodedPayload(bytes, Bytes, "");
            case byte[] bytes:
                // Copied: the sender may use its array again as soon as the send returns.
                return new EncodedPayload(ByteString.CopyFrom(bytes), Bytes, "");
            case ReadOnlyMemory<byte> bytes:
                return new EncodedPayload(ByteString.CopyFrom(bytes.Span), Bytes, "");
            case IMessage message:
                return new EncodedPayload(message.ToByteString(), Protobuf, message.Descriptor.FullName);
            default:
                var type = payload is JsonNode ? typeof(JsonNode) : payload.GetType();
                var json = JsonSerializer.SerializeToUtf8Bytes(payload, _json.GetTypeInfo(type));

                // The name of an anonymous type means nothing to a receiver.
                var name = type.Name.StartsWith('<') ? "" : type.FullName ?? "";
                return new EncodedPayload(UnsafeByteOperations.UnsafeWrap(json), JsonType, name);
        }
    }

    /// <summary>Decodes a payload to the wanted type; without one, to the type that fits the payload.</summary>
    public object? Decode(in EncodedPayload encoded, Type? wanted)
    {
        if (encoded.Data.IsEmpty && encoded.ContentType.Length == 0)
        {
            return null;
        }

        if (TryDecodeByCodec(encoded, wanted, out var payload))
        {
            return payload;
        }

        try
        {
            switch (encoded.ContentType)
            {
                case JsonType when wanted is not null || _knownTypes.TryGetValue(encoded.TypeName, out wanted):
                    return JsonSerializer.Deserialize(encoded.Data.Span, _json.GetTypeInfo(wanted));
                case JsonType:
                    var reader = new Utf8JsonReader(encoded.Data.Span);
                    return AsScalar(JsonElement.ParseValue(ref reader));
                case Protobuf:
                    return _options.KnownMessages.Find(encoded.TypeName) is { } message
                        ? message.Parser.ParseFrom(encoded.Data)
                        : encoded.Data;
                default:
                    return encoded.Data.ToByteArray();
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidProtocolBufferException)
        {
            throw new FormatException(
                $"The payload of the type '{encoded.TypeName}' ({encoded.ContentType}) cannot be decoded.", exception);
        }
    }

    public T? Decode<[DynamicallyAccessedMembers(PayloadMembers)] T>(in EncodedPayload encoded)
    {
        if (encoded.Data.IsEmpty && encoded.ContentType.Length == 0)
        {
            return default;
        }

        object? payload;
        if (TryDecodeByCodec(encoded, typeof(T), out var byCodec))
        {
            payload = byCodec;
        }
        else if (typeof(T) == typeof(byte[]))
        {
            payload = encoded.Data.ToByteArray();
        }
        else if (typeof(T) == typeof(ByteString))
        {
            payload = encoded.Data;
        }
        else if (typeof(T).IsAssignableTo(typeof(IMessage)))
        {
            payload = DecodeMessage<T>(encoded);
        }
        else
        {
            payload = Decode(
                encoded, encoded.ContentType == JsonType && typeof(T) != typeof(object) ? typeof(T) : null);
        }

        // JSON has a null of its own.
        if (payload is null && default(T) is null)
        {
            return default;
        }

        return payload is T wanted
            ? wanted
            : throw new FormatException(
                $"The payload of the type '{encoded.TypeName}' ({encoded.ContentType}) is not a {typeof(T)}.");
    }

    // A scalar without a known type name gets the type that its JSON looks like.
    private static object? AsScalar(in JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.String => json.GetString(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Null => null,
        JsonValueKind.Number when json.TryGetInt32(out var number) => number,
        JsonValueKind.Number when json.TryGetInt64(out var number) => number,
        JsonValueKind.Number => json.GetDouble(),
        _ => json,
    };

    private static object DecodeMessage<[DynamicallyAccessedMembers(PayloadMembers)] T>(in EncodedPayload encoded)
    {
        var message = (IMessage)Activator.CreateInstance<T>()!;
        if (encoded.ContentType != Protobuf
            || (encoded.TypeName.Length > 0 && encoded.TypeName != message.Descriptor.FullName))
        {
            throw new FormatException(
                $"The payload of the type '{encoded.TypeName}' ({encoded.ContentType}) is not a "
                + $"{message.Descriptor.FullName}.");
        }

        try
        {
            message.MergeFrom(encoded.Data);
            return message;
        }
        catch (InvalidProtocolBufferException exception)
        {
            throw new FormatException($"The payload cannot be decoded as a {message.Descriptor.FullName}.", exception);
        }
    }

    [UnconditionalSuppressMessage(
        "Trimming",
        "IL2026",
        Justification = "Only where the program allows JSON by reflection; else a resolver is asked for.")]
    [UnconditionalSuppressMessage(
        "AOT",
        "IL3050",
        Justification = "Only where the program allows JSON by reflection; else a resolver is asked for.")]
    private static JsonSerializerOptions WithResolver(JsonSerializerOptions options)
    {
        var copy = new JsonSerializerOptions(options);
        copy.TypeInfoResolver ??= JsonSerializer.IsReflectionEnabledByDefault
            ? new DefaultJsonTypeInfoResolver()
            : JsonTypeInfoResolver.Combine();

        // The program's own resolver comes first.
        copy.TypeInfoResolver = new RefusedTypes(
            JsonTypeInfoResolver.Combine(copy.TypeInfoResolver, BuiltInPayloads.Default));
        copy.MakeReadOnly();
        return copy;
    }

    private bool TryDecodeByCodec(in EncodedPayload encoded, Type? wanted, [NotNullWhen(true)] out object? payload)
    {
        foreach (var codec in _codecs)
        {
            if (codec.TryDecode(encoded, wanted, out payload))
            {
                return true;
            }
        }

        payload = null;
        return false;
    }
}
