using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Grpc.Core;
using GrpcShm.Client;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.Hosting.Tests;

/// <summary>The figures that the meter of a host shows.</summary>
public sealed class MetricsTests : IDisposable
{
    private readonly ConcurrentDictionary<string, long> _values = new();
    private readonly MeterListener _listener = new();
    private IMeterFactory? _factory;

    public MetricsTests()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "GrpcShm.Transport" && ReferenceEquals(instrument.Meter.Scope, _factory))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>(Add);
        _listener.SetMeasurementEventCallback<int>(
            (instrument, value, tags, state) => Add(instrument, value, tags, state));
    }

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task Call_OverAConnection_IsCounted()
    {
        await using var server = await StartAsync(static _ => { });
        using var channel = Connect(server);

        await new Greeter.GreeterClient(channel).GreetAsync(
            new Greeting(),
            deadline: TimeLimit.Deadline,
            cancellationToken: TestContext.Current.CancellationToken);

        // The server counts bytes after it has sent them, and the client may be faster.
        await TimeLimit.UntilAsync(() =>
        {
            _values.Clear();
            _listener.RecordObservableInstruments();
            return _values["grpcshm.bytes.sent"] > 9;
        });
        Assert.Equal(1, _values["grpcshm.connections"]);
        Assert.True(_values["grpcshm.bytes.received"] > 24);
        Assert.True(_values["grpcshm.doorbells.rung"] + _values["grpcshm.doorbells.saved"] > 0);
        Assert.True(_values.ContainsKey("grpcshm.space.waits"));
        Assert.True(_values.ContainsKey("grpcshm.spins"));
    }

    [Fact]
    public async Task Client_NotAuthorized_IsCountedByReasonAndToldWhy()
    {
        await using var server = await StartAsync(static options => options.AuthorizePeer = static _ => false);
        using var channel = Connect(server);

        var exception = await Assert.ThrowsAsync<RpcException>(
            () => new Greeter.GreeterClient(channel).GreetAsync(
                new Greeting(),
                deadline: TimeLimit.Deadline,
                cancellationToken: TestContext.Current.CancellationToken).ResponseAsync);

        Assert.Equal(StatusCode.Unavailable, exception.StatusCode);
        Assert.Contains("may not connect", exception.Status.DebugException?.ToString(), StringComparison.Ordinal);

        // The server counts the refusal when it has sent it, so the client may know of it first.
        await TimeLimit.UntilAsync(
            () => _values.GetValueOrDefault("grpcshm.handshakes.refused NotAuthorized") > 0);
        Assert.Equal(1, _values["grpcshm.handshakes.refused NotAuthorized"]);
    }

    private static Grpc.Net.Client.GrpcChannel Connect(TestServer server) =>
        SharedMemoryChannel.CreateGrpcChannel(
            "metered", new SharedMemoryClientOptions
            {
                RuntimeDirectory = server.Directory, ConnectTimeout = TimeLimit.Value,
            });

    private async Task<TestServer> StartAsync(Action<GrpcShm.AspNetCore.SharedMemoryTransportOptions> configure)
    {
        var server = await TestServer.StartAsync(builder =>
        {
            builder.WebHost.UseSharedMemory(configure);
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory("metered"));
        });
        _factory = server.Services.GetRequiredService<IMeterFactory>();
        _listener.Start();
        return server;
    }

    private void Add(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        var reason = string.Empty;
        foreach (var tag in tags)
        {
            reason = tag.Key == "grpcshm.refusal.reason" ? $" {tag.Value}" : reason;
        }

        _values.AddOrUpdate(instrument.Name + reason, value, (_, sum) => sum + value);
    }
}
