using System.IO.Pipes;

namespace Samples;

/// <summary>Connects to a named pipe of the same user.</summary>
internal static class NamedPipeConnector
{
    public static async Task<NamedPipeClientStream> ConnectAsync(string name, CancellationToken cancellationToken)
    {
        var pipe = new NamedPipeClientStream(
            ".", name, PipeDirection.InOut, PipeOptions.Asynchronous | PipeOptions.CurrentUserOnly);
        try
        {
            await pipe.ConnectAsync(cancellationToken);
            return pipe;
        }
        catch
        {
            await pipe.DisposeAsync();
            throw;
        }
    }
}
