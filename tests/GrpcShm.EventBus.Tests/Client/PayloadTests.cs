using System.Text.Json;
using System.Text.Json.Serialization;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Newtonsoft.Json.Linq;
using Polly;
using Polly.Retry;
using Samples.XStateNetAdapter;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Client;

public sealed partial class PayloadTests : ClientTest
{
    [Fact]
    public async Task Payload_ObjectOfASourceGeneratedContext_ComesAsItsTypeOrAsJson()
    {
        static void Configure(EventBusClientOptions options)
        {
            options.Json = new JsonSerializerOptions { TypeInfoResolver = Context.Default };
            options.KnownTypes.Add(typeof(Order));
        }

        var knows = await PassAsync(new Order("wafer", 25), Configure);
        Assert.Equal(new Order("wafer", 25), knows.Payload);

        var knowsNot = await PassAsync(new Order("wafer", 25), _ => { });
        Assert.Equal("wafer", Assert.IsType<JsonElement>(knowsNot.Payload).EnumerateObject().First().Value.GetString());
        Assert.Equal(new Order("wafer", 25), knowsNot.GetPayload<Order>());
    }

    [Fact]
    public async Task Payload_TypeThatNoResolverKnows_IsNotSupported()
    {
        var client = await ConnectClientAsync(
            options => options.Json = new JsonSerializerOptions { TypeInfoResolver = Context.Default });

        await Assert.ThrowsAsync<NotSupportedException>(
            () => client.SendEventAsync("s", "m", "E", new Version(1, 0)).InTime());
    }

    [Fact]
    public async Task Payload_ProtobufMessage_ComesAsItself()
    {
        var message = new Machine { MachineId = "x", Waiting = 3 };

        var known = await PassAsync(
            message, options => options.KnownMessages = TypeRegistry.FromMessages(Machine.Descriptor));
        var unknown = await PassAsync(message, _ => { });

        Assert.Equal(message, known.Payload);
        Assert.Equal(message.ToByteString(), unknown.Payload);
        Assert.Equal(message, unknown.GetPayload<Machine>());
        Assert.Throws<FormatException>(() => unknown.GetPayload<Event>());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Payload_Bytes_ComeAsTheyWereAtTheSend(bool sameClient)
    {
        var sender = await ConnectClientAsync();
        var events = await ReceiveAsync(sameClient ? sender : await ConnectClientAsync(), "m");
        var bytes = new byte[] { 1, 2, 3 };

        var sending = sender.SendEventAsync("s", "m", "E", bytes);
        bytes[0] = 99;
        await sending.InTime();

        Assert.Equal([1, 2, 3], Assert.IsType<byte[]>((await events.ReadAsync().InTime()).Payload));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Payload_BytesOfALaterAttempt_ComeAsTheyWereAtTheSend(bool sameClient)
    {
        var isTriedAgain = new TaskCompletionSource();
        var machineIsThere = new TaskCompletionSource();
        var pipeline = new ResiliencePipelineBuilder().AddRetry(new RetryStrategyOptions
        {
            MaxRetryAttempts = 1,
            Delay = TimeSpan.Zero,
            OnRetry = async _ =>
            {
                isTriedAgain.SetResult();
                await machineIsThere.Task;
            },
        }).Build();
        var sender = await ConnectClientAsync(options => options.SendPipeline = pipeline);
        var receiver = sameClient ? sender : await ConnectClientAsync();
        var bytes = new byte[] { 1, 2, 3 };

        var sending = sender.SendEventAsync(
            "s", "m", "E", bytes, new EventSendOptions { Acknowledgement = AcknowledgementLevel.Processed });
        bytes[0] = 99;
        await isTriedAgain.Task.InTime();
        var events = await ReceiveAsync(receiver, "m");
        machineIsThere.SetResult();
        await sending.InTime();

        Assert.Equal([1, 2, 3], Assert.IsType<byte[]>((await events.ReadAsync().InTime()).Payload));
    }

    [Fact]
    public async Task Payload_Null_IsNull()
    {
        var received = await PassAsync(null, _ => { });

        Assert.Null(received.Payload);
        Assert.Null(received.GetPayload<Order>());
    }

    [Fact]
    public async Task Payload_NewtonsoftToken_ComesAsTokenByTheSamplesCodec()
    {
        var received = await PassAsync(
            JObject.Parse("""{"date":"2024-01-02T03:04:05Z","n":1}"""),
            options => options.Codecs.Add(new JTokenCodec()));

        var token = Assert.IsType<JObject>(received.Payload);
        Assert.Equal("2024-01-02T03:04:05Z", token.Value<string>("date"));
        Assert.Equal(1, received.GetPayload<JObject>()!.Value<int>("n"));
    }

    private async Task<BusEvent> PassAsync(object? payload, Action<EventBusClientOptions> configure)
    {
        var sender = await ConnectClientAsync(configure);
        var receiver = await ConnectClientAsync(configure);
        var target = $"m-{Guid.NewGuid():N}";
        var events = await ReceiveAsync(receiver, target);
        await sender.SendEventAsync("s", target, "E", payload).InTime();
        return await events.ReadAsync().InTime();
    }

    internal sealed record Order(string Name, int Count);

    [JsonSerializable(typeof(Order))]
    private sealed partial class Context : JsonSerializerContext;
}
