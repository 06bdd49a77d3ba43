using Grpc.Core;
using GrpcShm.EventBus.TestProcess;
using GrpcShm.EventBus.Tests.Client;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>How the hub counts what goes past it.</summary>
public sealed class HubReportTests : HubLaneTest
{
    private const string Accepted = "grpcshm.eventbus.accepted.messages";
    private const string Delivered = "grpcshm.eventbus.delivered.messages";

    [Fact]
    public async Task Report_OfTheSource_CountsAsAcceptedAndDelivered()
    {
        using var meter = new HubMeter(Server.Services);
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        var grant = await GrantAsync(source);

        await source.SendAsync(Report(grant.Route, 4096)).InTime();
        await NextWithdrawalAfterAsync(source, target, grant.Route);
        await source.SendAsync(Report(grant.Route, 10)).InTime();
        await CloseAsync(source, grant.Route, 7);

        Assert.Equal((4113, 4113), (meter.Read(Accepted), meter.Read(Delivered)));
        Assert.Empty(source.Failures);
        var health = await Client.GetHealthAsync(new GetHealthRequest()).ResponseAsync.InTime();
        Assert.Equal(4113ul, health.EventsAccepted);
    }

    [Fact]
    public async Task Report_OfOthersOrOfClosedRoutes_DoesNotCount()
    {
        using var meter = new HubMeter(Server.Services);
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await using var third = await OpenMachineWithLanesAsync("c");
        var grant = await GrantAsync(source);

        await target.SendAsync(Report(grant.Route, 1)).InTime();
        await third.SendAsync(Report(grant.Route, 2)).InTime();
        await PassAsync(third);
        await CloseAsync(target, grant.Route, 4);
        await CloseAsync(source, grant.Route);
        await source.SendAsync(Report(grant.Route, 8)).InTime();
        await CloseAsync(source, grant.Route, 16);

        Assert.Equal((0, 0), (meter.Read(Accepted), meter.Read(Delivered)));
    }

    [Theory]
    [InlineData((1ul << 20) + 1)]
    [InlineData(ulong.MaxValue)]
    public async Task Report_OfTooMany_IsInvalidAndDoesNotCount_ButCloses(ulong events)
    {
        using var meter = new HubMeter(Server.Services);
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        var grant = await GrantAsync(source);

        await source.SendAsync(Report(grant.Route, events)).InTime();
        var closed = await CloseAsync(source, grant.Route, events);

        Assert.Equal((int)StatusCode.InvalidArgument, closed.StatusCode);
        Assert.Equal((int)StatusCode.InvalidArgument, Assert.Single(source.Failures).StatusCode);
        Assert.Equal((0, 0), (meter.Read(Accepted), Table.Routes));
    }

    [Fact]
    public async Task Gauges_CountLanesAndRoutes_AndFencesAreNoEvents()
    {
        using var meter = new HubMeter(Server.Services);
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        var grant = await GrantAsync(source);
        await GrantAsync(target, "b", "a");
        Assert.Equal((1, 2), (meter.Read("grpcshm.eventbus.lanes"), meter.Read("grpcshm.eventbus.routes")));

        var answered = FenceAsync(source, grant.Route);
        await AcknowledgeAsync(target, await target.Deliveries.ReadAsync().InTime());
        await answered.InTime();
        await source.SendAsync(SendTo("b")).InTime();
        await target.Deliveries.ReadAsync().InTime();
        await meter.WaitForAsync(Delivered, 1);
        await CloseAsync(source, grant.Route);

        Assert.Equal((1, 1), (meter.Read(Accepted), meter.Read(Delivered)));
        Assert.Equal((1, 1), (meter.Read("grpcshm.eventbus.lanes"), meter.Read("grpcshm.eventbus.routes")));
    }

    private static SessionCommand Report(uint route, ulong events) =>
        new() { ReportRoute = new RouteReport { Route = route, Events = events } };

    // The source may report until it has closed the route, though that has ended.
    private static async Task NextWithdrawalAfterAsync(SessionClient source, SessionClient target, uint route)
    {
        await CloseAsync(target, route);
        Assert.Equal(route, (await NextWithdrawalAsync(source)).Route);
    }
}
