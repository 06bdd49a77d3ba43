using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts.Completion;

[Collection(AloneCollection.Name)]
public sealed class CompletionConnectionTests() : ConnectionContract(new CompletionMake());
