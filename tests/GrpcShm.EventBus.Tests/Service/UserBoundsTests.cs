using Grpc.Core;
using GrpcShm.EventBus.Service;
using GrpcShm.EventBus.TestProcess;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service;

/// <summary>
/// Each bound of what a user may have, with two users: the one too many is refused by the bound's name.
/// </summary>
public sealed class UserBoundsTests : HubTest
{
    private const string Alice = "alice";
    private const string Bob = "bob";

    protected override void Build(WebApplicationBuilder builder) => UserHeader.AddTo(builder);

    protected override void Configure(EventBusOptions options)
    {
        options.MaxSessionsPerUser = 2;
        options.MaxSessions = 3;
        options.MaxLeasesPerUser = 2;
        options.MaxLeases = 3;
        options.UnclaimedTimeout = TimeSpan.FromDays(1);
    }

    private HubCore Hub => Server.Services.GetRequiredService<HubCore>();

    [Fact]
    public async Task Session_OneTooManyOfAUser_IsRefusedAndOthersHaveTheirs()
    {
        await using (var first = OpenSessionOf(Alice))
        await using (var second = OpenSessionOf(Alice))
        await using (var other = OpenSessionOf(Bob))
        {
            await first.Opened.InTime();
            await second.Opened.InTime();
            await RefusedAsync(Alice, "MaxSessionsPerUser");
            await other.Opened.InTime();
            await RefusedAsync(Bob, "MaxSessions)");
            await second.DisposeAsync().InTime();
            await using var next = OpenSessionOf(Alice);
            await next.Opened.InTime();
        }

        Assert.Equal(0, Hub.Budget.Sessions.Users);
    }

    [Fact]
    public async Task Subscribe_ByACallOfItsOwn_IsCountedAsASession()
    {
        var request = new SubscribeRequest { Subscription = new Subscription { All = new AllEvents() } };
        await using var session = OpenSessionOf(Alice);
        await session.Opened.InTime();
        using var call = Client.Subscribe(request, UserHeader.For(Alice));
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).InTime());

        using var refused = Client.Subscribe(request, UserHeader.For(Alice));
        var failed = await Assert.ThrowsAsync<RpcException>(
            () => refused.ResponseStream.MoveNext(CancellationToken.None).InTime());

        Assert.Equal(StatusCode.ResourceExhausted, failed.StatusCode);
        Assert.Contains("MaxSessionsPerUser", failed.Status.Detail, StringComparison.Ordinal);

        // One that is refused for another reason, too, gives its place back.
        call.Dispose();
        await TimeLimit.UntilAsync(() => Hub.Metrics.Subscriptions == 0);

        for (var i = 0; i < 3; i++)
        {
            using var invalid = Client.Subscribe(
                new SubscribeRequest { Subscription = new Subscription { Inbox = "" } }, UserHeader.For(Bob));
            var wrong = await Assert.ThrowsAsync<RpcException>(
                () => invalid.ResponseStream.MoveNext(CancellationToken.None).InTime());
            Assert.Equal(StatusCode.InvalidArgument, wrong.StatusCode);
        }
    }

    [Fact]
    public async Task RegisterMachines_OneCallTooManyOfAUser_IsRefusedAndOthersHaveTheirs()
    {
        await RegisterAsync(Alice, "a1");
        await RegisterAsync(Alice, "a2");
        var ofAlice = await FailsAsync(
            Client.RegisterMachinesAsync(Request(Alice, "a3"), UserHeader.For(Alice)), StatusCode.ResourceExhausted);

        // What is refused for another reason, and what registers nothing, takes none.
        await FailsAsync(
            Client.RegisterMachinesAsync(Request(Bob, "a1"), UserHeader.For(Bob)), StatusCode.AlreadyExists);
        for (var i = 0; i < 5; i++)
        {
            await Client.RegisterMachinesAsync(
                new RegisterMachinesRequest { InstanceId = Bob }, UserHeader.For(Bob)).ResponseAsync.InTime();
        }

        await RegisterAsync(Bob, "b1");
        var ofBob = await FailsAsync(
            Client.RegisterMachinesAsync(Request(Bob, "b2"), UserHeader.For(Bob)), StatusCode.ResourceExhausted);

        Assert.Contains("MaxLeasesPerUser", ofAlice.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("MaxLeases)", ofBob.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(3, Hub.Machines.Count);
    }

    private static RegisterMachinesRequest Request(string user, string machineId) =>
        new() { InstanceId = user, Registrations = { new Registration { MachineId = machineId } } };

    private async Task RegisterAsync(string user, string machineId) =>
        await Client.RegisterMachinesAsync(Request(user, machineId), UserHeader.For(user)).ResponseAsync.InTime();

    private async Task RefusedAsync(string user, string bound)
    {
        await using var refused = OpenSessionOf(user);
        var failed = Assert.IsType<RpcException>(await refused.Ended.InTime());
        Assert.Equal(StatusCode.ResourceExhausted, failed.StatusCode);
        Assert.Contains(bound, failed.Status.Detail, StringComparison.Ordinal);
    }
}
