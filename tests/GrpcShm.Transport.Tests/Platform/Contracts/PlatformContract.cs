using System.Diagnostics;
using System.Runtime.InteropServices;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts;

/// <summary>The common base of the suites: a make, the objects that the test has taken from it, and waits with an
/// end.</summary>
public abstract class PlatformContract : IDisposable
{
    private readonly PlatformMake _make;
    private readonly List<IDisposable> _owned = [];

    private protected PlatformContract(PlatformMake make) => _make = make;

    private protected TransportPlatform Platform => _make.Platform;

    private protected SharedMemoryEndPoint EndPoint => _make.EndPoint;

    private protected string Directory => _make.Directory;

    public void Dispose()
    {
        // In the opposite order, since a user of an object is disposed of before the object.
        for (var i = _owned.Count - 1; i >= 0; i--)
        {
            _owned[i].Dispose();
        }

        OnDisposing();
        _make.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Undoes the changes of the suite.</summary>
    protected virtual void OnDisposing()
    {
    }

    /// <summary>Lets an object be disposed of at the test's end.</summary>
    private protected T Own<T>(T thing)
        where T : IDisposable
    {
        _owned.Add(thing);
        return thing;
    }

    private protected RendezvousSocket Listen() => Own(_make.Listen());

    private protected ControlSocket Connect()
    {
        var socket = _make.Connect();
        Assert.NotNull(socket);
        return Own(socket);
    }

    /// <summary>Connects, and accepts.</summary>
    private protected (ControlSocket Client, ControlSocket Server) Meet()
    {
        var listening = Listen();
        return (Connect(), Accept(listening));
    }

    /// <summary>Waits for a client as a reactor does.</summary>
    private protected ControlSocket Accept(RendezvousSocket listening)
    {
        ControlSocket? client = null;
        Await(listening.Source, () => (client = listening.Accept()) is not null);
        return Own(client!);
    }

    /// <summary>Waits for so many bytes as a reactor does.</summary>
    private protected byte[] Receive(ControlSocket socket, int count, List<SafeHandle>? attachments = null)
    {
        attachments ??= [];
        var bytes = new byte[count];
        var filled = 0;
        Await(socket.Source, () =>
        {
            var received = 0;
            while (filled < count && (received = socket.Receive(bytes.AsSpan(filled), attachments)) > 0)
            {
                filled += received;
            }

            Assert.True(filled == count || received != 0, $"The end came after {filled} of {count} bytes.");
            return filled == count;
        });
        return bytes;
    }

    /// <summary>Waits for the end as a reactor does.</summary>
    private protected void ReceiveEnd(ControlSocket socket)
    {
        var buffer = new byte[64];
        Await(socket.Source, () =>
        {
            var received = socket.Receive(buffer, []);
            Assert.True(received <= 0, $"{received} more bytes came where the end is due.");
            return received == 0;
        });
    }

    /// <summary>Takes everything that a source has, and waits for its next event, until a condition is met.</summary>
    private protected void Await(IPollSource source, Func<bool> isMet)
    {
        const ulong Token = 7;
        using var poller = Platform.CreatePoller();
        poller.Add(source, Token);
        try
        {
            while (!isMet())
            {
                AwaitEvent(poller, Token);
            }
        }
        finally
        {
            poller.Remove(source);
        }
    }

    /// <summary>Waits until a token is reported.</summary>
    private protected static void AwaitEvent(Poller poller, ulong token)
    {
        var events = new PollEvent[8];
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var left = (int)(TimeLimit.Value - Stopwatch.GetElapsedTime(started)).TotalMilliseconds;
            Assert.True(left > 0, $"The token {token} is not reported.");
            var count = poller.Wait(events, left);
            if (events.AsSpan(0, count).Contains(new PollEvent(token)))
            {
                return;
            }
        }
    }

    /// <summary>
    /// Takes the events that are there, until there are none. An event without a cause is allowed, but not again and
    /// again.
    /// </summary>
    private protected static void AwaitSilence(Poller poller)
    {
        const int Most = 1000;
        var events = new PollEvent[8];
        var silent = 0;
        for (var i = 0; i < Most && silent < 4; i++)
        {
            silent = poller.Wait(events, 1) == 0 ? silent + 1 : 0;
        }

        Assert.True(silent >= 4, "The poller reports the same events time and again.");
    }
}
