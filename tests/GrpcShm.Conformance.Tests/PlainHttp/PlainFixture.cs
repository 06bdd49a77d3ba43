using System.Net;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.Conformance.Tests.Modes;
using GrpcShm.TestHost.Calling;

namespace GrpcShm.Conformance.Tests.PlainHttp;

/// <summary>A server process with an endpoint for each version of HTTP, and a handler for each.</summary>
/// <typeparam name="TMode">The mode that carries the requests.</typeparam>
public sealed class PlainFixture<TMode> : IPlainFixture, IAsyncLifetime
    where TMode : TransportMode, new()
{
    private readonly TempDirectory _directory = new();
    private readonly TMode _mode = new();
    private readonly EndpointAddress _http1;
    private HttpMessageHandler? _http1Handler;
    private HttpMessageHandler? _http2Handler;
    private ServerHandle? _server;

    /// <summary>Creates the fixture.</summary>
    public PlainFixture() => _http1 = _mode.CreateAddress(_directory, "http1");

    /// <inheritdoc/>
    public ServerHandle Server => _server!;

    /// <inheritdoc/>
    public HttpMessageHandler GetHandler(Version version) =>
        version == HttpVersion.Version11 ? _http1Handler! : _http2Handler!;

    /// <inheritdoc/>
    public Task<Stream> ConnectAsync() => _mode.ConnectAsync(_http1, _directory);

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        _server = await ServerHandle.StartAsync(_mode, _directory, "http2", "--listen-http1", _http1.ToString());
        _http1Handler = _mode.CreateHttpHandler(_http1, _directory);
        _http2Handler = _mode.CreateHttpHandler(_server.Address, _directory);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using (_directory)
        {
            _http1Handler?.Dispose();
            _http2Handler?.Dispose();
            if (_server is not null)
            {
                await _server.DisposeAsync();
            }
        }
    }
}
