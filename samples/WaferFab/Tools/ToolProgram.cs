using System.Globalization;
using GrpcShm.EventBus;
using Samples.WaferFab.Messages;

namespace Samples.WaferFab.Tools;

/// <summary>The process of one tool.</summary>
/// <remarks>
/// It ends when its standard input does, which is also how it learns that the first process has died, and says then on its
/// standard output how many events it has sent.
/// </remarks>
internal static class ToolProgram
{
    public static async Task<int> RunAsync(string id, string journalPath, SampleEndpoint endpoint)
    {
        using var journal = new StepJournal(journalPath);
        using var channel = endpoint.CreateChannel();
        await using var bus = FabBus.Create(channel, id);
        await bus.ConnectAsync();
        var tool = new Tool(id, bus, journal);
        using (await bus.SubscribeAsync(id, tool.HandleAsync))
        {
            await tool.AnnounceAsync();
            while (await Console.In.ReadLineAsync() is not null)
            {
            }
        }

        await bus.DisconnectAsync();
        Console.WriteLine($"sent {tool.Sent.ToString(CultureInfo.InvariantCulture)}");
        return 0;
    }
}
