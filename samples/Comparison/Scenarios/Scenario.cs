using Google.Protobuf;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Protos;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Scenarios;

/// <summary>A load on the service. It knows nothing of the transport beneath the clients that it is given.</summary>
internal abstract class Scenario
{
    protected Scenario(string name, int payloadBytes, Figure figure)
    {
        Name = name;
        PayloadBytes = payloadBytes;
        Figure = figure;

        // Random, so that nothing on the way can be clever about it.
        var body = new byte[payloadBytes];
        new Random(payloadBytes).NextBytes(body);
        Message = new Payload { Body = UnsafeByteOperations.UnsafeWrap(body) };
    }

    public string Name { get; }

    public int PayloadBytes { get; }

    public Figure Figure { get; }

    /// <summary>Whether it is one of several loads of which only the first is of interest by itself.</summary>
    public bool IsLoad { get; init; }

    /// <summary>Whether it is also run when time is short.</summary>
    public bool IsQuick { get; init; } = true;

    /// <summary>Round trips that a full comparison makes in all its rounds together, however long that takes.</summary>
    public long MinimumOperations { get; init; }

    public virtual int InFlight => 1;

    /// <summary>
    /// Operations a second that are begun whether or not earlier ones have ended; none where each waits for another.
    /// </summary>
    public virtual int? OfferedPerSecond => null;

    /// <summary>Whether it has to do with streams of gRPC, which another exchange may not have.</summary>
    public virtual bool NeedsStreams => false;

    public virtual int Connections => 1;

    /// <summary>Payload bytes that one operation moves, in both directions together.</summary>
    public virtual long BytesPerOperation => 2L * PayloadBytes;

    protected Payload Message { get; }

    /// <param name="connections">As many as <see cref="Connections"/>, and what opens further ones.</param>
    /// <param name="limits">When to end.</param>
    public abstract Task<RunResult> RunAsync(ConnectionSet connections, RunLimits limits);

    protected void CheckEcho(Payload reply)
    {
        if (reply.Body.Length != PayloadBytes)
        {
            throw new ComparisonException($"{PayloadBytes} bytes were sent and {reply.Body.Length} came back.");
        }
    }
}
