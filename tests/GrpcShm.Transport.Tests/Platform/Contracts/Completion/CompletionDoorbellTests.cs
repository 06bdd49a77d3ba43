using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts.Completion;

public sealed class CompletionDoorbellTests() : DoorbellContract(new CompletionMake());
