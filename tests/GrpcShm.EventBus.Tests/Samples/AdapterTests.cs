using Newtonsoft.Json.Linq;
using Samples.XStateNetAdapter;
using Samples.XStateNetAdapter.Bus;

namespace GrpcShm.EventBus.Tests.Samples;

public sealed class AdapterTests : Client.ClientTest
{
    [Fact]
    public async Task MessageBus_SendsSubscribesAndPublishes()
    {
        using IMessageBus bus = new GrpcMessageBus(
            await ConnectClientAsync(options => options.Codecs.Add(new JTokenCodec())));
        await bus.ConnectAsync().InTime();
        var received = System.Threading.Channels.Channel.CreateUnbounded<MachineEvent>();
        using var subscription = await bus.SubscribeAsync("m", e => received.Writer.WriteAsync(e).AsTask()).InTime();

        await bus.SendEventAsync("s", "m", "SENT", new JObject { ["n"] = 1 }).InTime();
        await bus.PublishAsync("PUBLISHED").InTime();

        var sent = await received.Reader.ReadAsync().InTime();
        Assert.Equal(1, Assert.IsType<JObject>(sent.Payload).Value<int>("n"));
        Assert.Equal("PUBLISHED", (await received.Reader.ReadAsync().InTime()).EventName);
    }
}
