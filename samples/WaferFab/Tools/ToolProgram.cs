using System.Globalization;
using GrpcShm.EventBus;
using Samples.WaferFab.Messages;

namespace Samples.WaferFab.Tools;

/// <summary>The process of one tool.</summary>
/// <remarks>
/// It ends when its standard input ends, which also happens when the first process dies. It then writes the number of
/// its sent events to its standard output.
/// </remarks>
internal static class ToolProgram
{
    public static async Task<int> RunAsync(string id, string journalPath, SampleEndpoint endpoint)
    {
        using var parent = new CancellationTokenSource();
        var parentEnds = WaitForParentAsync(parent);
        using var journal = new StepJournal(journalPath);
        using var channel = endpoint.CreateChannel();
        await using var bus = FabBus.Create(channel, id);
        var tool = new Tool(id, bus, journal);
        try
        {
            await bus.ConnectAsync(parent.Token);
            using var machine = await bus.RegisterMachineAsync(id, tool.HandleAsync, cancellationToken: parent.Token);
            await tool.AnnounceAsync().WaitAsync(parent.Token);
            await parentEnds;
        }
        catch (OperationCanceledException) when (parent.IsCancellationRequested)
        {
            // The first process ended before this one was ready, so there is no hub to wait for.
            return 1;
        }
        catch (EventBusException exception)
        {
            await Console.Error.WriteLineAsync($"The tool '{id}' could not join the bus: {exception.Message}");
            return 1;
        }

        await bus.DisconnectAsync();
        Console.WriteLine($"sent {tool.Sent.ToString(CultureInfo.InvariantCulture)}");
        return 0;
    }

    // This needs a thread of its own, since all methods of the console read synchronously.
    private static Task WaitForParentAsync(CancellationTokenSource parent) => Task.Factory.StartNew(
        () =>
        {
            Console.In.ReadToEnd();
            parent.Cancel();
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);
}
