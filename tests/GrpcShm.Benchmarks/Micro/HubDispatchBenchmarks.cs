using BenchmarkDotNet.Attributes;
using Google.Protobuf;
using GrpcShm.EventBus;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Benchmarks.Micro;

/// <summary>
/// The work of the event hub for an event between two machines of its own process, without gRPC and transport.
/// </summary>
[MemoryDiagnoser]
public class HubDispatchBenchmarks
{
    private const int Events = 1000;

    private TaskCompletionSource _handledAll = new();
    private WebApplication _application = null!;
    private EventHub _hub = null!;
    private EncodedPayload _payload;
    private int _handled;

    /// <summary>The number of other machines in the hub.</summary>
    [Params(0, 1000)]
    public int OtherMachines { get; set; }

    /// <summary>Makes a hub and the machines.</summary>
    [GlobalSetup]
    public async Task Setup()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddEventBus();
        _application = builder.Build();
        _hub = _application.Services.GetRequiredService<EventHub>();
        for (var i = 0; i < OtherMachines; i++)
        {
            await _hub.RegisterMachineAsync($"other-{i}", static _ => Task.CompletedTask);
        }

        await _hub.RegisterMachineAsync("sender", static _ => Task.CompletedTask);
        await _hub.RegisterMachineAsync("receiver", Handle);
        _payload = new EncodedPayload(ByteString.CopyFrom(new byte[64]), "application/octet-stream", "");
    }

    /// <summary>Ends the hub.</summary>
    [GlobalCleanup]
    public ValueTask Cleanup() => _application.DisposeAsync();

    /// <summary>From the send to the return of the handler, with many events at a time.</summary>
    [Benchmark(OperationsPerInvoke = Events)]
    public async Task SendToMachine()
    {
        _handledAll = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        for (var i = 0; i < Events; i++)
        {
            await _hub.SendEventAsync("sender", "receiver", "DATA", _payload);
        }

        await _handledAll.Task;
    }

    private Task Handle(BusEvent received)
    {
        if (++_handled == Events)
        {
            _handled = 0;
            _handledAll.SetResult();
        }

        return Task.CompletedTask;
    }
}
