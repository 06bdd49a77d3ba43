using Grpc.Core;
using XStateNet.Events.V1;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>A generated client from which a program derived, with calls of its own.</summary>
public sealed class DerivedContractTests : ClientTest
{
    [Fact]
    public async Task Send_ByADerivedContract_GoesThroughItsOwnCall()
    {
        var contract = new CountingContract(Connect());
        await using var senderEnd = new EventClient(contract).InTime(out var sender);
        await sender.ConnectAsync().InTime();
        var events = await ReceiveAsync(await ConnectClientAsync(), "m");

        await sender.SendEventAsync("s", "m", "E", new byte[] { 1, 2 }).InTime();

        var received = await events.ReadAsync().AsTask().InTime();
        Assert.Equal(("s", "E"), (received.SourceMachineId, received.EventName));
        Assert.Equal([1, 2], received.GetPayload<byte[]>());
        Assert.Equal(1, contract.Sessions);
    }

    private sealed class CountingContract(ChannelBase channel) : Contract.EventBusClient(channel)
    {
        public int Sessions { get; private set; }

        public override AsyncDuplexStreamingCall<SessionRequest, SessionResponse> Session(CallOptions options)
        {
            Sessions++;
            return base.Session(options);
        }
    }
}
