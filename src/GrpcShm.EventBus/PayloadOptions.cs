using System.Text.Json;
using System.Text.Json.Serialization;
using Google.Protobuf.Reflection;

namespace GrpcShm.EventBus;

/// <summary>
/// How payloads are encoded and decoded, by a client and by a hub for the machines of its own process.
/// </summary>
public abstract class PayloadOptions
{
    private protected PayloadOptions()
    {
    }

    /// <summary>How the types of JSON payloads are written and read.</summary>
    /// <remarks>
    /// Defaults to new options: properties and fields are written by the names that they are declared with, and NaN and
    /// the infinities as text; names are read in any case, and numbers from text, too. For <c>camelCase</c> set
    /// <see cref="JsonSerializerOptions.PropertyNamingPolicy"/> to <see cref="JsonNamingPolicy.CamelCase"/>. If the
    /// program is trimmed or compiled ahead of time, set <see cref="JsonSerializerOptions.TypeInfoResolver"/> to a
    /// source-generated context; scalars and arrays of them need none.
    /// </remarks>
    public JsonSerializerOptions Json { get; set; } = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = null,
        IncludeFields = true,
        NumberHandling = JsonNumberHandling.AllowReadingFromString | JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>
    /// The types that <see cref="BusEvent.Payload"/> decodes JSON payloads to, by the full names that these carry,
    /// besides the scalars (text, numbers, <c>bool</c>, dates and times, <c>Guid</c>, <c>Uri</c>) and arrays of text,
    /// numbers and <c>bool</c>. An object or an array of another type becomes a <see cref="JsonElement"/>.
    /// </summary>
    /// <remarks>Defaults to none.</remarks>
    public ICollection<Type> KnownTypes { get; } = [];

    /// <summary>
    /// The messages that <see cref="BusEvent.Payload"/> decodes protobuf payloads to. A message of another type stays a
    /// <see cref="Google.Protobuf.ByteString"/>.
    /// </summary>
    /// <remarks>Defaults to none.</remarks>
    public TypeRegistry KnownMessages { get; set; } = TypeRegistry.Empty;

    /// <summary>Codecs that are asked, in this order, before the built-in ones.</summary>
    /// <remarks>Defaults to none.</remarks>
    public IList<IPayloadCodec> Codecs { get; } = [];
}
