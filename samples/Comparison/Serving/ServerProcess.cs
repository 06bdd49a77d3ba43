using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Serving;

/// <summary>The parent's side of a server process: starts it, learns its address, and ends it on every path.</summary>
internal sealed class ServerProcess : IServer
{
    private const int KeptErrorLines = 12;

    // Far longer than it takes, for a machine that is busy with something else.
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _errors = new();

    private ServerProcess(Process process)
    {
        _process = process;
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is not null && _errors.Count < KeptErrorLines)
            {
                _errors.Enqueue(line.Data);
            }
        };
        _process.BeginErrorReadLine();
    }

    public string Address { get; private set; } = "";

    public static async Task<ServerProcess> StartAsync(
        ITransport transport,
        string directory,
        CancellationToken cancellationToken)
    {
        var process = Process.Start(CreateStartInfo("serve", transport.Name, transport.ChooseAddress(directory)))
            ?? throw new ComparisonException($"The server process of '{transport.Name}' could not be started.");
        var server = new ServerProcess(process);
        try
        {
            await server.WaitUntilReadyAsync(transport, cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async Task<ResourceUsage?> ReadUsageAsync() => await AskAsync<ResourceUsage>(ServerProgram.UsageRequest);

    public Task<long> MeasureMemoryAsync() => AskAsync<long>(ServerProgram.MemoryRequest);

    public string DescribeErrors() =>
        _errors.IsEmpty ? "" : Environment.NewLine + string.Join(Environment.NewLine, _errors);

    public async ValueTask DisposeAsync()
    {
        try
        {
            _process.StandardInput.Close();
            await _process.WaitForExitAsync().WaitAsync(StopTimeout);
        }
        catch (Exception exception) when (exception is TimeoutException or IOException or InvalidOperationException)
        {
            if (!_process.HasExited)
            {
                _process.Kill();
                await _process.WaitForExitAsync();
            }
        }

        _process.Dispose();
    }

    private async Task<T> AskAsync<T>(string request)
    {
        await _process.StandardInput.WriteLineAsync(request);
        await _process.StandardInput.FlushAsync();
        string? answer;
        try
        {
            answer = await _process.StandardOutput.ReadLineAsync().WaitAsync(AnswerTimeout);
        }
        catch (TimeoutException)
        {
            throw new ComparisonException(
                $"The server process did not answer within {AnswerTimeout.TotalSeconds:0} s." + DescribeErrors());
        }

        return answer is null
            ? throw new ComparisonException("The server process has ended." + DescribeErrors())
            : JsonSerializer.Deserialize<T>(answer)!;
    }

    private static ProcessStartInfo CreateStartInfo(params string[] arguments)
    {
        var executable = Environment.ProcessPath
            ?? throw new ComparisonException("The path of this program is unknown, so it cannot start its servers.");
        var info = new ProcessStartInfo(executable)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (Path.GetFileNameWithoutExtension(executable).Equals("dotnet", StringComparison.OrdinalIgnoreCase))
        {
            info.ArgumentList.Add(Environment.GetCommandLineArgs()[0]);
        }

        foreach (var argument in arguments)
        {
            info.ArgumentList.Add(argument);
        }

        return info;
    }

    private async Task WaitUntilReadyAsync(ITransport transport, CancellationToken cancellationToken)
    {
        string? line;
        try
        {
            line = await _process.StandardOutput.ReadLineAsync(cancellationToken).AsTask()
                .WaitAsync(StartTimeout, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new ComparisonException(
                $"The server of transport '{transport.Name}' did not listen within {StartTimeout.TotalSeconds:0} s." +
                DescribeErrors());
        }

        if (line is null || !line.StartsWith(ServerProgram.ReadyPrefix, StringComparison.Ordinal))
        {
            // The end of its output comes before the last of its errors has been read.
            await _process.WaitForExitAsync(cancellationToken).WaitAsync(StopTimeout, cancellationToken);
            throw new ComparisonException(
                $"The server of transport '{transport.Name}' ended before it listened." + DescribeErrors());
        }

        Address = line[ServerProgram.ReadyPrefix.Length..];
    }
}
