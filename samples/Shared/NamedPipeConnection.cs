using System.IO.Pipelines;
using System.IO.Pipes;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Samples;

/// <summary>One connection over a named pipe, in the form that Kestrel needs.</summary>
internal sealed class NamedPipeConnection : ConnectionContext, IConnectionLifetimeFeature, IDuplexPipe
{
    private readonly NamedPipeServerStream _pipe;
    private readonly CancellationTokenSource _closed = new();

    public NamedPipeConnection(NamedPipeServerStream pipe, NamedPipeEndPoint endPoint)
    {
        _pipe = pipe;
        LocalEndPoint = endPoint;
        ConnectionClosed = _closed.Token;
        Input = PipeReader.Create(pipe, new StreamPipeReaderOptions(bufferSize: 16 * 1024, leaveOpen: true));
        Output = new NamedPipeOutput(PipeWriter.Create(pipe, new StreamPipeWriterOptions(leaveOpen: true)));
        Transport = this;
        Features.Set<IConnectionLifetimeFeature>(this);
    }

    public override string ConnectionId { get; set; } = Guid.NewGuid().ToString("N");

    public override IFeatureCollection Features { get; } = new FeatureCollection();

    public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

    public override IDuplexPipe Transport { get; set; }

    public override CancellationToken ConnectionClosed { get; set; }

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    public override void Abort(ConnectionAbortedException abortReason)
    {
        // This ends waiting reads and writes.
        _pipe.Dispose();
        Input.CancelPendingRead();
    }

    public override async ValueTask DisposeAsync()
    {
        await Input.CompleteAsync();
        await Output.CompleteAsync();
        await _pipe.DisposeAsync();
        await _closed.CancelAsync();
        _closed.Dispose();
        await base.DisposeAsync();
    }
}
