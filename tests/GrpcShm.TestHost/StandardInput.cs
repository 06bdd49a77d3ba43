namespace GrpcShm.TestHost;

/// <summary>
/// The connection of this process to its test. The process stops on the word <c>stop</c>, and when the pipe closes, so
/// that a killed test run leaves no process behind.
/// </summary>
internal static class StandardInput
{
    /// <summary>
    /// Reads lines until the pipe closes, on a thread of its own, because reading the console blocks.
    /// </summary>
    /// <param name="stop">Stops the process; may be called twice.</param>
    /// <param name="command">Carries out any other line, also while the process stops.</param>
    public static void Watch(Action stop, Action<string>? command = null)
    {
        var thread = new Thread(() =>
        {
            while (Console.In.ReadLine() is { } line)
            {
                if (line == "stop")
                {
                    stop();
                }
                else
                {
                    command?.Invoke(line);
                }
            }

            stop();
        })
        {
            IsBackground = true,
            Name = "standard input",
        };
        thread.Start();
    }
}
