using Grpc.Core;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service;

public sealed class PolicyTests : HubTest
{
    // Far more than the streams' own buffers hold, so that a subscriber that does not read fills its mailbox.
    private const int Flood = 200;
    private static readonly Google.Protobuf.ByteString Large = Google.Protobuf.ByteString.CopyFrom(new byte[64 * 1024]);

    protected override void Configure(EventBusOptions options)
    {
        options.UnclaimedCapacity = 3;
        options.MaxBlockTime = TimeSpan.FromMilliseconds(200);
    }

    [Fact]
    public async Task Send_ToASubscriberThatNeverReads_IsRefusedInTimeAndDelaysNobodyElse()
    {
        using var deaf = await SubscribeWithoutReadingAsync(OverflowPolicy.Block);
        await using var other = await OpenMachineAsync("other");

        var refused = await SendUntilRefusedAsync();
        await Client.SendAsync(new SendRequest { Event = NewEvent("other") }).ResponseAsync.InTime();

        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        Assert.Contains("'deaf'", refused.Status.Detail, StringComparison.Ordinal);
        await other.Deliveries.ReadAsync().InTime();
    }

    [Fact]
    public async Task Send_ToAGrowingMailboxThatIsFull_IsRefusedAtOnce()
    {
        using var deaf = await SubscribeWithoutReadingAsync(OverflowPolicy.Grow);

        var refused = await SendUntilRefusedAsync();

        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
    }

    [Theory]
    [InlineData(OverflowPolicy.DropOldest)]
    [InlineData(OverflowPolicy.DropNewest)]
    public async Task Send_ToADroppingMailboxThatIsFull_SucceedsAndTheLossIsReported(OverflowPolicy policy)
    {
        using var deaf = await SubscribeWithoutReadingAsync(policy);
        for (uint number = 0; number < Flood; number++)
        {
            await Client.SendAsync(LargeRequest(number)).ResponseAsync.InTime();
        }

        // Now it reads: what came is in order, and what did not come was counted.
        var received = new List<uint>();
        ulong lost = 0;
        while (received.Count + (int)lost < Flood)
        {
            Assert.True(await deaf.ResponseStream.MoveNext(CancellationToken.None).InTime());
            var response = deaf.ResponseStream.Current;
            received.AddRange(response.Deliveries.Select(delivery => delivery.Event.Version));
            lost = response.Loss?.Dropped ?? lost;
        }

        Assert.True(lost > 0);
        Assert.Equal(received.Order(), received);
        Assert.Equal(received.Distinct(), received);
        Assert.Equal(policy == OverflowPolicy.DropOldest, received.Contains(Flood - 1u));
        var health = await Client.GetHealthAsync(new GetHealthRequest()).ResponseAsync.InTime();
        Assert.Equal(lost, health.EventsDropped);
    }

    [Fact]
    public async Task Send_ToAnUnclaimedMachine_IsKeptWithinTheBound()
    {
        await using var owner = OpenSession();
        await owner.ExecuteAsync(new SessionCommand { Register = new Registration { MachineId = "m" } }).InTime();
        for (uint number = 0; number < 3; number++)
        {
            await Client.SendAsync(new SendRequest { Event = NewEvent("m", version: number) }).ResponseAsync.InTime();
        }

        await FailsAsync(Client.SendAsync(new SendRequest { Event = NewEvent("m") }), StatusCode.ResourceExhausted);
    }

    private static SendRequest LargeRequest(uint number) => new()
    {
        Event = new Event { Name = "LARGE", Target = "deaf", Version = number, Payload = Large },
    };

    private async Task<AsyncServerStreamingCall<SubscribeResponse>> SubscribeWithoutReadingAsync(OverflowPolicy policy)
    {
        var call = Client.Subscribe(new SubscribeRequest
        {
            Subscription = new Subscription
            {
                Inbox = "deaf",
                Mailbox = new MailboxSettings { Capacity = 4, OverflowPolicy = policy },
            },
        });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).InTime());
        Assert.NotNull(call.ResponseStream.Current.Subscribed);
        return call;
    }

    private async Task<RpcException> SendUntilRefusedAsync()
    {
        return await Assert.ThrowsAsync<RpcException>(async () =>
        {
            for (uint number = 0; number < Flood; number++)
            {
                await Client.SendAsync(LargeRequest(number)).ResponseAsync.InTime();
            }
        });
    }
}
