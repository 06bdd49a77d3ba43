using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Google.Protobuf;
using Newtonsoft.Json.Linq;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>What is sent as JSON arrives as what it was.</summary>
public sealed partial class JsonPayloadTests : ClientTest
{
    public enum Colour
    {
        Red,
        Green,
    }

    public static TheoryData<object> Scalars() =>
    [
        "", "text", "null", "true", "1", "2024-01-02T03:04:05Z",
        true, false,
        0, -1, int.MaxValue, 5L, long.MinValue, (byte)1, (short)2, (ushort)3, uint.MaxValue, ulong.MaxValue, (sbyte)-4,
        1.0, 0.1, -0.0, double.MaxValue, double.NaN, double.PositiveInfinity, 1.5f, 'x',
        1.10m, decimal.MaxValue,
        new DateTime(2024, 1, 2, 3, 4, 5, DateTimeKind.Utc).AddTicks(1),
        new DateTime(2024, 1, 2, 3, 4, 5, DateTimeKind.Unspecified),
        new DateTimeOffset(2024, 1, 2, 3, 4, 5, TimeSpan.FromHours(9)),
        new DateOnly(2024, 1, 2), new TimeOnly(3, 4, 5), TimeSpan.FromTicks(7),
        Guid.Parse("6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        new Uri("http://fab.example/etcher"),
    ];

    [Theory]
    [MemberData(nameof(Scalars))]
    public async Task Payload_Scalar_ComesAsWhatItWas(object payload)
    {
        var received = (await PassAsync(payload, _ => { })).Payload;

        Assert.Equal(payload.GetType(), received!.GetType());
        Assert.Equal(payload, received);
        Assert.Equal(
            Convert.ToString(payload, CultureInfo.InvariantCulture),
            Convert.ToString(received, CultureInfo.InvariantCulture));
        Assert.Equal((payload as DateTime?)?.Kind, (received as DateTime?)?.Kind);
    }

    [Theory]
    [MemberData(nameof(Scalars))]
    public async Task Payload_ScalarWithoutReflection_ComesAsWhatItWas(object payload)
    {
        var received = await PassAsync(payload, options => options.Json = new JsonSerializerOptions(options.Json)
        {
            TypeInfoResolver = PartContext.Default,
        });

        Assert.Equal(payload, received.Payload);
    }

    [Fact]
    public async Task Payload_ArrayOfScalars_ComesAsWhatItWas()
    {
        object[] payloads = [new[] { "a", "b" }, new[] { 1, 2 }, new[] { 1L }, new[] { 0.5 }, new[] { true }];
        foreach (var payload in payloads)
        {
            var received = (await PassAsync(payload, _ => { })).Payload;

            Assert.Equal(payload.GetType(), received!.GetType());
            Assert.Equal((System.Collections.IEnumerable)payload, (System.Collections.IEnumerable)received);
        }
    }

    [Theory]
    [InlineData("5", 5)]
    [InlineData("5000000000", 5_000_000_000)]
    [InlineData("0.5", 0.5)]
    [InlineData("1e3", 1000.0)]
    [InlineData("\"text\"", "text")]
    [InlineData("true", true)]
    [InlineData("null", null)]
    public async Task Payload_ScalarOfAnotherProgram_ComesAsWhatItLooksLike(string json, object? expected)
    {
        var payload = new EncodedPayload(ByteString.CopyFromUtf8(json), "application/json", "");

        var received = await PassAsync(payload, _ => { });

        Assert.Equal(expected, received.Payload);
        Assert.Equal(expected?.GetType(), received.Payload?.GetType());
        Assert.Equal(expected?.ToString(), received.GetPayload<object>()?.ToString());
    }

    [Fact]
    public async Task Payload_ScalarOfATypeThatItIsNot_IsNoPayload()
    {
        var received = await PassAsync(
            new EncodedPayload(ByteString.CopyFromUtf8("\"x\""), "application/json", "System.Int32"), _ => { });

        Assert.Throws<FormatException>(() => received.Payload);
        Assert.Equal("x", received.GetPayload<string>());
    }

    [Fact]
    public async Task Payload_Names_AreAsTheyWereDeclared()
    {
        const string expected =
            """{"Message":"m","nested":{"Inner_Name":1},"Map":{"Key":1,"key":2},"List":[{"X":1}],"Colour":1,"""
            + "\"Bytes\":\"AQI=\",\"When\":\"2024-01-02T03:04:05Z\",\"Price\":1.10,\"None\":null}";
        var payload = new
        {
            Message = "m",
            nested = new { Inner_Name = 1 },
            Map = new Dictionary<string, int> { ["Key"] = 1, ["key"] = 2 },
            List = new[] { new { X = 1 } },
            Colour = Colour.Green,
            Bytes = new byte[] { 1, 2 },
            When = new DateTime(2024, 1, 2, 3, 4, 5, DateTimeKind.Utc),
            Price = 1.10m,
            None = (string?)null,
        };

        var received = await PassAsync(payload, _ => { });

        Assert.Equal(expected, Encoding.UTF8.GetString(received.RawPayload.Data.Span));
        Assert.Equal("m", Assert.IsType<JsonElement>(received.Payload).GetProperty("Message").GetString());
        Assert.Equal("", received.RawPayload.TypeName);
    }

    [Fact]
    public async Task Payload_CamelCase_IsAnOption()
    {
        var received = await PassAsync(
            new { Message = "m" }, options => options.Json.PropertyNamingPolicy = JsonNamingPolicy.CamelCase);

        Assert.Equal("""{"message":"m"}""", Encoding.UTF8.GetString(received.RawPayload.Data.Span));
    }

    [Fact]
    public async Task Payload_Object_ComesWholeAsItsType()
    {
        var order = new Order(
            "wafer",
            [1, 2],
            new Dictionary<string, Part> { ["A"] = new("a", Colour.Green) },
            1.10m,
            DateTime.UtcNow,
            [7]);
        var wide = (Name: "tuple", Count: 3, Nested: (1, true));

        var known = await PassAsync(order, options => options.KnownTypes.Add(typeof(Order)));
        var unknown = await PassAsync(order, _ => { });
        var camel = await PassAsync(order, options => options.Json.PropertyNamingPolicy = JsonNamingPolicy.CamelCase);
        var tuple = await PassAsync(wide, _ => { });
        var fields = await PassAsync(new Vector3(1, 2, 3), _ => { });

        Assert.Equivalent(order, Assert.IsType<Order>(known.Payload), strict: true);
        Assert.Equivalent(order, unknown.GetPayload<Order>(), strict: true);
        Assert.Equivalent(order, camel.GetPayload<Order>(), strict: true);
        Assert.Equal(wide, tuple.GetPayload<(string, int, (int, bool))>());
        Assert.Equal(new Vector3(1, 2, 3), fields.GetPayload<Vector3>());
    }

    [Fact]
    public async Task Payload_NamesInOtherCases_AreReadToo()
    {
        var received = await PassAsync(
            new EncodedPayload(ByteString.CopyFromUtf8("""{"name":"a","COLOUR":1}"""), "application/json", ""),
            _ => { });

        Assert.Equal(new Part("a", Colour.Green), received.GetPayload<Part>());
    }

    [Fact]
    public async Task Payload_Enum_ComesAsItsTypeWhereThatIsKnownAndElseAsItsNumber()
    {
        Assert.Equal(
            Colour.Green, (await PassAsync(Colour.Green, options => options.KnownTypes.Add(typeof(Colour)))).Payload);
        var unknown = await PassAsync(Colour.Green, _ => { });

        Assert.Equal(1, unknown.Payload);
        Assert.Equal(Colour.Green, unknown.GetPayload<Colour>());
    }

    [Fact]
    public async Task Payload_JsonOfSystemTextJson_ComesAsItWas()
    {
        var node = new JsonObject { ["Name"] = "n", ["List"] = new JsonArray(1, "two", null) };
        using var document = JsonDocument.Parse("""{"Name":1}""");

        Assert.True(JsonNode.DeepEquals(node, Assert.IsType<JsonObject>((await PassAsync(node, _ => { })).Payload)));
        var payload = (await PassAsync(document.RootElement, _ => { })).Payload;
        Assert.Equal(1, Assert.IsType<JsonElement>(payload).GetProperty("Name").GetInt32());
    }

    [Fact]
    public async Task Payload_TypeWhoseContentJsonWouldLose_IsRefusedInWords()
    {
        var client = await ConnectClientAsync();
        await ReceiveAsync(client, "m");
        object[] payloads =
        [
            JObject.Parse("""{"a":1}"""), new JArray(1), new JValue(1), BigInteger.One, new Complex(1, 2),
            new { Nested = JObject.Parse("""{"a":1}""") }, new object[] { new JArray(1) },
            new Dictionary<string, object> { ["a"] = new JValue("x") },
        ];
        foreach (var payload in payloads)
        {
            var refused = await Assert.ThrowsAsync<NotSupportedException>(
                () => client.SendEventAsync("s", "m", "E", payload).InTime());
            Assert.Contains("Codecs", refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Payload_OfARefusedTypeWithAConverterOfItsOwn_IsWrittenByThat()
    {
        var received = await PassAsync(
            new BigInteger(7), options => options.Json.Converters.Add(new NumberConverter()));

        Assert.Equal(new BigInteger(7), received.GetPayload<BigInteger>());
    }

    [Fact]
    public async Task Context_Scalar_ComesAsWhatItWas()
    {
        var client = await ConnectClientAsync();
        var changes = System.Threading.Channels.Channel.CreateUnbounded<MachineStateChange>();
        await client.SubscribeToStateChangesAsync(
            "m", change => changes.Writer.WriteAsync(change.StateChange!).AsTask()).InTime();

        await client.PublishStateChangeAsync("m", new MachineStateChange { NewState = "on", Context = 5L }).InTime();

        Assert.Equal(5L, (await changes.Reader.ReadAsync().InTime()).Context);
    }

    private async Task<BusEvent> PassAsync(object? payload, Action<EventBusClientOptions> configure)
    {
        var client = await ConnectClientAsync(configure);
        var target = $"m-{Guid.NewGuid():N}";
        var events = await ReceiveAsync(client, target);
        await client.SendEventAsync("s", target, "E", payload).InTime();
        return await events.ReadAsync().InTime();
    }

    internal sealed record Part(string Name, Colour Colour);

    internal sealed record Order(
        string Name, int[] Numbers, Dictionary<string, Part> Parts, decimal Price, DateTime When, byte[] Bytes);

    [JsonSerializable(typeof(Part))]
    private sealed partial class PartContext : JsonSerializerContext;

    private sealed class NumberConverter : JsonConverter<BigInteger>
    {
        public override BigInteger Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            BigInteger.Parse(reader.GetString()!, CultureInfo.InvariantCulture);

        public override void Write(Utf8JsonWriter writer, BigInteger value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString(CultureInfo.InvariantCulture));
    }
}
