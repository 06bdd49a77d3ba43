using Google.Protobuf;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Protos;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Scenarios;

/// <summary>A load on the service. It does not know the transport of its clients.</summary>
internal abstract class Scenario
{
    protected Scenario(string name, int payloadBytes, Figure figure)
    {
        Name = name;
        PayloadBytes = payloadBytes;
        Figure = figure;

        // The payload is random, so that nothing on the way can take a short cut.
        var body = new byte[payloadBytes];
        new Random(payloadBytes).NextBytes(body);
        Message = new Payload { Body = UnsafeByteOperations.UnsafeWrap(body) };
    }

    public string Name { get; }

    public int PayloadBytes { get; }

    public Figure Figure { get; }

    /// <summary>True if it is one of several loads of which only the first is interesting by itself.</summary>
    public bool IsLoad { get; init; }

    /// <summary>True if it also runs when time is short.</summary>
    public bool IsQuick { get; init; } = true;

    /// <summary>
    /// The number of round trips in all rounds of a full comparison together, however long they take.
    /// </summary>
    public long MinimumOperations { get; init; }

    public virtual int InFlight => 1;

    /// <summary>
    /// Operations a second that begin even if earlier ones have not ended; null if each waits for another.
    /// </summary>
    public virtual int? OfferedPerSecond => null;

    /// <summary>True if it needs streams of gRPC, which another exchange may not have.</summary>
    public virtual bool NeedsStreams => false;

    /// <summary>True if it needs a machine in a third process.</summary>
    public virtual bool NeedsPeer => false;

    public virtual int Connections => 1;

    /// <summary>The name of one operation, for people.</summary>
    public virtual string Operation => "call";

    /// <summary>Payload bytes that one operation moves, in both directions together.</summary>
    public virtual long BytesPerOperation => 2L * PayloadBytes;

    protected Payload Message { get; }

    /// <param name="connections">As many connections as <see cref="Connections"/>; it can also open further
    /// ones.</param>
    /// <param name="limits">The end of the run.</param>
    public abstract Task<RunResult> RunAsync(ConnectionSet connections, RunLimits limits);

    protected void CheckEcho(Payload reply)
    {
        if (reply.Body.Length != PayloadBytes)
        {
            throw new ComparisonException($"{PayloadBytes} bytes were sent and {reply.Body.Length} came back.");
        }
    }
}
