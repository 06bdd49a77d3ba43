using Microsoft.Extensions.Logging;

namespace GrpcShm.Testing;

internal sealed record LogLine(LogLevel Level, string Name, string Text, Exception? Exception);
