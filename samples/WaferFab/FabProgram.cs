using Grpc.Core;
using GrpcShm.EventBus;
using Samples.WaferFab.Messages;
using Samples.WaferFab.Scheduling;
using Samples.WaferFab.View;
using Spectre.Console;
using XStateNet.Events.V1;

namespace Samples.WaferFab;

/// <summary>The first process: the hub, the scheduler, and the view.</summary>
internal static class FabProgram
{
    // About what it takes on an idle machine: the tools' work does not get faster.
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(2.5);
    private static readonly TimeSpan TimeOfWafer = TimeSpan.FromSeconds(0.25);

    public static async Task<int> RunAsync(FabOptions options, CancellationToken cancellationToken)
    {
        var view = ChooseView(options);
        Announce(options);
        try
        {
            var report = await RunAsync(options, view, cancellationToken);
            view.Show(report);
            return report.IsOk ? 0 : 1;
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("Stopped.");
            return 130;
        }
        catch (Exception exception) when (exception
            is RpcException
            or EventBusException
            or IOException
            or TimeoutException
            or InvalidOperationException
            or PlatformNotSupportedException)
        {
            await Console.Error.WriteLineAsync(
                $"The fab could not be run over {options.TransportName}: {exception.Message}");
            return 1;
        }
    }

    private static void Announce(FabOptions options) => Announcement.Print(
        Announcement.ChooseWriter(options.Json),
        $"A scheduler and four tools, five processes in all, take {options.Wafers} wafers through a fab by events over "
            + $"{options.TransportName}."
            + (options.Victim is { } victim ? $" The {victim} is killed meanwhile, and started again." : ""),
        "You will see what the tools do, and at the end whether anything was lost or done twice.",
        StartTime + (options.Wafers * TimeOfWafer));

    private static async Task<FabReport> RunAsync(
        FabOptions options, IFabView view, CancellationToken cancellationToken)
    {
        await using var hub = await HubServer.StartAsync(options.Transport, cancellationToken);
        using var channel = hub.Endpoint.CreateChannel();
        await using var bus = FabBus.Create(channel, SchedulerId.Value);
        await bus.ConnectAsync(cancellationToken);
        await using var tools = new ToolPark(hub.Endpoint);
        var scheduler = new Scheduler(bus, options.Wafers);
        var board = new StateBoard(bus, new EventBus.EventBusClient(channel), scheduler);
        return await new FabRun(options, view, bus, scheduler, board, tools).RunAsync(cancellationToken);
    }

    private static IFabView ChooseView(FabOptions options)
    {
        if (options.Json)
        {
            return new JsonView();
        }

        return AnsiConsole.Profile.Capabilities.Interactive && !Console.IsOutputRedirected
            ? new LiveView()
            : new PlainView(Console.Out);
    }
}
