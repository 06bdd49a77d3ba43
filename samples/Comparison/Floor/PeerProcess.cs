using System.Diagnostics;

namespace GrpcShm.Samples.Comparison.Floor;

/// <summary>A peer process and the connection to it; ends both.</summary>
internal sealed class PeerProcess : IDisposable
{
    // Far longer than it takes, for a machine that is busy with something else.
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(3);

    private readonly Process _process;
    private IRawChannel? _channel;

    private PeerProcess(Process process) => _process = process;

    public IRawChannel Channel => _channel!;

    /// <param name="transport">What connects the two.</param>
    /// <param name="directory">A directory of the run's own.</param>
    /// <param name="command">The command of this program that runs a <see cref="RawPeer"/>, before the transport and the address.</param>
    public static PeerProcess Start(IRawTransport transport, string directory, string command)
    {
        var address = Path.Combine(directory, transport.Name);
        var executable = Environment.ProcessPath!;
        // Its input is a pipe of ours, whose end tells it that we are gone. Its errors go where ours go.
        var info = new ProcessStartInfo(executable) { RedirectStandardInput = true, RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(executable) == "dotnet")
        {
            info.ArgumentList.Add(Environment.GetCommandLineArgs()[0]);
        }

        info.ArgumentList.Add(command);
        info.ArgumentList.Add(transport.Name);
        info.ArgumentList.Add(address);
        var peer = new PeerProcess(Process.Start(info)!);
        try
        {
            var line = peer._process.StandardOutput.ReadLineAsync();
            if (!line.Wait(StartTimeout) || line.Result != RawPeer.Ready)
            {
                throw new IOException($"The peer process of '{transport.Name}' did not listen.");
            }

            peer._channel = transport.Connect(address);
            return peer;
        }
        catch
        {
            peer.Dispose();
            throw;
        }
    }

    /// <summary>Lets the peer do nothing at all until it is woken.</summary>
    public void Rest() => Channel.Order(roundTrips: 0, bytes: 0);

    /// <summary>Wakes the peer from its rest.</summary>
    public void Wake()
    {
        _process.StandardInput.Write('\n');
        _process.StandardInput.Flush();
    }

    public void Dispose()
    {
        _channel?.Dispose();
        _process.StandardInput.Dispose();
        if (!_process.WaitForExit(StopTimeout))
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }
}
