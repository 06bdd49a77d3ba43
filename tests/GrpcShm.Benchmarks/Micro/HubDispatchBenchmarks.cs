using BenchmarkDotNet.Attributes;
using Google.Protobuf;
using GrpcShm.EventBus;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using XStateNet.Events.V1;

namespace GrpcShm.Benchmarks.Micro;

/// <summary>What the event hub does with an event between two machines of its own process: no gRPC, no transport.</summary>
[MemoryDiagnoser]
public class HubDispatchBenchmarks
{
    private const int Events = 1000;

    private TaskCompletionSource _handledAll = new();
    private WebApplication _application = null!;
    private LocalMachine _sender = null!;
    private LocalMachine _receiver = null!;
    private Event _event = null!;
    private int _handled;

    /// <summary>How many other machines the hub has.</summary>
    [Params(0, 1000)]
    public int OtherMachines { get; set; }

    /// <summary>Makes a hub and the machines.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddEventBus();
        _application = builder.Build();
        var hub = _application.Services.GetRequiredService<EventHub>();
        for (var i = 0; i < OtherMachines; i++)
        {
            hub.AddMachine($"other-{i}", IgnoreAsync);
        }

        _sender = hub.AddMachine("sender", IgnoreAsync);
        _receiver = hub.AddMachine("receiver", HandleAsync);
        _event = new Event
        {
            Name = "DATA", Source = "sender", Target = "receiver", Timestamp = 1, Payload = ByteString.CopyFrom(new byte[64]),
        };
    }

    /// <summary>Ends the hub.</summary>
    [GlobalCleanup]
    public async Task Cleanup()
    {
        await _sender.DisposeAsync();
        await _receiver.DisposeAsync();
        await _application.DisposeAsync();
    }

    /// <summary>From the send to the return of the handler, many at a time.</summary>
    [Benchmark(OperationsPerInvoke = Events)]
    public async Task SendToMachine()
    {
        _handledAll = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        for (var i = 0; i < Events; i++)
        {
            await _sender.SendAsync(_event);
        }

        await _handledAll.Task;
    }

    private static ValueTask<Acknowledgement?> IgnoreAsync(Event received, CancellationToken cancellationToken) => default;

    private ValueTask<Acknowledgement?> HandleAsync(Event received, CancellationToken cancellationToken)
    {
        if (++_handled == Events)
        {
            _handled = 0;
            _handledAll.SetResult();
        }

        return default;
    }
}
