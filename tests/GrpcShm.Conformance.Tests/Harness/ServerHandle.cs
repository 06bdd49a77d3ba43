using GrpcShm.Conformance.Tests.Modes;
using GrpcShm.TestHost.Calling;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.Conformance.Tests.Harness;

/// <summary>A server process, and what a test needs to talk to it.</summary>
public sealed class ServerHandle : IAsyncDisposable
{
    private readonly TransportMode _mode;
    private readonly TempDirectory _directory;
    private readonly TestChannel _controlChannel;

    private ServerHandle(TransportMode mode, TempDirectory directory, EndpointAddress address, HostProcess process)
    {
        _mode = mode;
        _directory = directory;
        Address = address;
        Process = process;

        // The actions of a test on the connections under test must not touch the connection by which it watches the
        // server.
        _controlChannel = ChannelFactory.CreateChannel(
            EndpointAddress.Parse(process.Ready.Listening[1]),
            new ClientSetup { CertificateFingerprint = process.Ready.CertificateFingerprint });
        Control = new Control.ControlClient(_controlChannel);
    }

    /// <summary>The endpoint under test.</summary>
    public EndpointAddress Address { get; }

    /// <summary>The process.</summary>
    public HostProcess Process { get; }

    /// <summary>The client of the control service, over a Unix socket of its own.</summary>
    public Control.ControlClient Control { get; }

    /// <summary>Starts a server of a mode.</summary>
    public static async Task<ServerHandle> StartAsync(
        TransportMode mode, TempDirectory directory, string name, params IEnumerable<string> arguments)
    {
        var address = mode.CreateAddress(directory, name);
        var control = new EndpointAddress(EndpointKind.UnixSocket, Path.Combine(directory.Path, name + ".control"));
        var process = await HostProcess.StartAsync(
        [
            "serve",
            "--listen", address.ToString(),
            "--listen", control.ToString(),
            .. mode.GetServerArguments(directory),
            .. arguments,
        ]);
        return new ServerHandle(mode, directory, address, process);
    }

    /// <summary>Makes a channel of the server's mode to the endpoint under test.</summary>
    public TestChannel CreateChannel(ClientSetup? setup = null) =>
        _mode.CreateChannel(
            Address,
            _directory,
            (setup ?? new ClientSetup()) with { CertificateFingerprint = Process.Ready.CertificateFingerprint });

    /// <summary>Makes a client for plain HTTP to the endpoint under test.</summary>
    public HttpClient CreateHttpClient() => _mode.CreateHttpClient(Address, _directory);

    /// <summary>Waits until a watched call has reached a phase, as the server sees it.</summary>
    public Task WhenCallAsync(string callId, CallPhase phase) =>
        Control.AwaitCallAsync(
            new AwaitCallRequest { CallId = callId, Phase = phase },
            cancellationToken: TestContext.Current.CancellationToken).ResponseAsync
            .InTime($"'{callId}' comes to {phase} in the server");

    /// <summary>Opens a gate, so that the calls that wait at it go on.</summary>
    public Task OpenGateAsync(string gate) =>
        Control.OpenGateAsync(
            new OpenGateRequest { Gate = gate }, cancellationToken: TestContext.Current.CancellationToken).InTime();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _controlChannel.Dispose();
        await Process.DisposeAsync();
    }
}
